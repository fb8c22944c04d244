"""The addresses of heartbeats answer as those of Healthchecks do."""

import asyncio
from typing import Any

import pytest

from atalaia.watch.api.pings import BODY_LIMIT_BYTES, PREFIX, PingRoute
from atalaia.watch.model.states import CheckState
from atalaia.watch.model.values import Check
from tests.conftest import MakeStore
from tests.fakes import FakeClock
from tests.store.watch_house import House

OTHER = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(params=["sqlite"])
def dialect(request: pytest.FixtureRequest) -> str:
    """What the store does is tested on both engines in test_watch_heartbeats."""
    return str(request.param)


@pytest.fixture
def house(make_store: MakeStore, clock: FakeClock) -> House:
    return House(make_store("watch"), clock)


@pytest.fixture
def check(house: House) -> Check:
    return house.add(name="Backup", kind="heartbeat", target="", period_s=60, failures_to_down=None)


def ask(
    house: House, path: str, *, method: str = "GET", query: str = "", body: bytes = b""
) -> tuple[int, str, dict[str, str]]:
    """Status, body and headers of the answer."""
    scope = {
        "method": method,
        "path": path,
        "query_string": query.encode(),
        "headers": [(b"user-agent", b"curl/8" + b"x" * 300)],
        "state": {"client": "192.0.2.7"},
    }
    parts = [body[start : start + 30_000] for start in range(0, len(body), 30_000)] or [b""]
    messages = [{"body": part, "more_body": index + 1 < len(parts)} for index, part in enumerate(parts)]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(PingRoute(house.heartbeats).handle(scope, receive, send))
    headers = {key.decode(): value.decode() for key, value in sent[0]["headers"]}
    return sent[0]["status"], sent[1]["body"].decode(), headers


def path(check: Check, rest: str = "") -> str:
    return f"{PREFIX}{check.ping_id}{rest}"


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "OPTIONS"])
def test_every_method_counts_and_is_answered_ok(house: House, check: Check, method: str) -> None:
    status, body, headers = ask(house, path(check), method=method)
    assert (status, body) == (200, "OK")
    assert headers["ping-body-limit"] == "100000"
    assert headers["access-control-allow-origin"] == "*"
    assert "no-store" in headers["cache-control"]
    assert house.check(check.id).state is CheckState.UP


def test_head_counts_and_has_no_body(house: House, check: Check) -> None:
    assert ask(house, path(check), method="HEAD")[:2] == (200, "")
    assert house.check(check.id).results == 1


@pytest.mark.parametrize(
    ("rest", "query", "status", "body"),
    [
        ("/", "", 200, "OK"),
        ("/start", "", 200, "OK"),
        ("/fail", "", 200, "OK"),
        ("/log", "", 200, "OK"),
        ("/0", "", 200, "OK"),
        ("/255", "", 200, "OK"),
        ("", f"rid={OTHER}", 200, "OK"),
        ("/256", "", 400, "invalid url format"),
        ("/99999999999", "", 400, "invalid url format"),
        ("", "rid=x", 400, "invalid uuid format"),
        ("/start/", "", 404, "not found"),
        ("/bogus", "", 404, "not found"),
        ("/-1", "", 404, "not found"),
        ("/start/x", "", 404, "not found"),
    ],
)
def test_what_stands_after_the_address(
    house: House, check: Check, rest: str, query: str, status: int, body: str
) -> None:
    assert ask(house, path(check, rest), query=query)[:2] == (status, body)


@pytest.mark.parametrize("ping_id", [OTHER, "nope", "", OTHER.replace("-", "")])
def test_an_address_that_is_nobodys_is_not_found(house: House, ping_id: str) -> None:
    assert ask(house, PREFIX + ping_id)[:2] == (404, "not found")


def test_an_upper_case_address_is_not_found(house: House, check: Check) -> None:
    assert ask(house, path(check).upper().replace("/PING/", "/ping/"))[0] == 404


def test_an_exit_status_is_failure_or_success(house: House, check: Check) -> None:
    ask(house, path(check, "/3"))
    assert house.check(check.id).state is CheckState.DOWN
    ask(house, path(check, "/0"))
    assert house.check(check.id).state is CheckState.UP


def test_a_log_changes_nothing(house: House, check: Check) -> None:
    ask(house, path(check, "/log"), method="POST", body=b"hello")
    assert house.check(check.id).state is CheckState.UNKNOWN


def test_a_body_is_kept_up_to_the_limit_with_where_it_came_from(house: House, check: Check) -> None:
    assert ask(house, path(check), method="POST", body=b"y" * (BODY_LIMIT_BYTES + 50_000))[0] == 200
    kept = asyncio.run(house.service.pings(check.id))[0]
    assert kept.body == b"y" * BODY_LIMIT_BYTES
    assert kept.source == "192.0.2.7"
    assert len(kept.user_agent or "") == 200


def test_a_start_and_its_end_are_paired_by_rid(house: House, check: Check) -> None:
    ask(house, path(check, "/start"), query=f"rid={OTHER}")
    house.clock.advance(2)
    ask(house, path(check), query=f"rid={OTHER}")
    assert house.check(check.id).last_ms == 2000
