"""A worker's ports over a hub's API, played by a real server whose answers a test decides."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from atalaia.outbound.guard import Guard
from atalaia.outbound.http import HttpClient
from atalaia.outbound.remote import RemoteHub
from atalaia.outbound.upstream import Ports
from atalaia.sdk.failures import PermanentFailure, TemporaryFailure
from atalaia.sdk.upstreams import CallOutcome, CallRecord, UpstreamDeclaration
from tests.fakes import FakeClock
from tests.unit.outbound.receiver import Request, receiving, reply

Json = dict[str, Any]
FAILED: list[CallOutcome] = ["temporary"] * 5
DECLARED = UpstreamDeclaration(name="tracker", title="Tracker")
CLOSED = {"state": "closed", "retry_after_s": 0}


@dataclass
class HubPlayed:
    """Answers by path, and what was asked."""

    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[tuple[str, Json]] = field(default_factory=list)

    async def answer(self, request: Request) -> bytes | None:
        await asyncio.sleep(0)
        what = request.path.removeprefix("/api/upstreams/tracker/")
        self.asked.append((what, json.loads(request.body)))
        assert request.headers["authorization"] == "Bearer the-workers-key"
        said = self.answers[what]
        return said if isinstance(said, bytes) or said is None else reply(200, json.dumps(said).encode())

    def bodies(self, what: str) -> list[Json]:
        return [body for path, body in self.asked if path == what]


@dataclass
class Kit:
    played: HubPlayed
    remote: RemoteHub
    ports: Ports
    clock: FakeClock

    def end(self, *outcomes: CallOutcome) -> None:
        """Calls that ended so, as the client tells them."""
        for outcome in outcomes:
            self.ports.breaker.after("default", outcome)
            self.ports.calls.record(
                CallRecord("tracker", "default", "read", outcome, 12.0, self.clock.now(), error="why")
            )

    async def until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not is_so():  # noqa: ASYNC110 - the receiver's event is of its own task
                await asyncio.sleep(0.005)

    async def is_refused(self) -> bool:
        try:
            await self.ports.breaker.before("default")
        except TemporaryFailure as error:
            return error.retry_after_s == 20
        return False


@asynccontextmanager
async def a_kit(**answers: Any) -> AsyncIterator[Kit]:
    played, clock, http = HubPlayed(), FakeClock(), HttpClient(Guard())
    played.answers = {"calls": {"breakers": {"default": CLOSED}}, **answers}
    async with receiving(played.answer) as receiver:
        headers = {"Authorization": "Bearer the-workers-key"}
        remote = RemoteHub(http, receiver.url, headers=headers, clock=clock)
        try:
            yield Kit(played, remote, remote.ports(DECLARED), clock)
        finally:
            await remote.aclose(within_s=0.5)
            await http.aclose()


def _run(use: Callable[[Kit], Awaitable[None]], **answers: Any) -> None:
    async def run() -> None:
        async with a_kit(**answers) as kit:
            await use(kit)

    asyncio.run(run())


def _token(generation: int, expires_at: str | None = None) -> Json:
    return {"token": f"session-token-{generation}", "generation": generation, "expires_at": expires_at}


def test_a_token_is_asked_for_once_and_again_when_it_was_rejected_or_is_over() -> None:
    async def use(kit: Kit) -> None:
        kit.played.answers["token"] = _token(1, "2026-01-15T13:00:00Z")
        tokens = await asyncio.gather(*(kit.ports.tokens.token() for _ in range(5)))
        assert {token.value.reveal() for token in tokens} == {"session-token-1"}
        kit.played.answers["token"] = _token(2, "2026-01-15T13:00:00Z")
        assert (await kit.ports.tokens.token(rejected_generation=1)).generation == 2
        assert (await kit.ports.tokens.token(rejected_generation=1)).generation == 2
        kit.clock.advance(3600)
        kit.played.answers["token"] = _token(3)
        assert (await kit.ports.tokens.token()).generation == 3
        assert [body["rejected_generation"] for body in kit.played.bodies("token")] == [None, 1, None]

    _run(use)


def _refused(status: int, code: str, **headers: str) -> bytes:
    return reply(status, json.dumps({"error": {"code": code, "message": "why"}}).encode(), **headers)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (_refused(503, "upstream_temporary", Retry_After="7"), TemporaryFailure),
        (_refused(500, "internal_error"), TemporaryFailure),
        (_refused(401, "unauthenticated"), TemporaryFailure),
        (_refused(502, "upstream_permanent"), PermanentFailure),
        (_refused(404, "not_found"), PermanentFailure),
        (None, TemporaryFailure),
        (reply(200, b"<html>"), Exception),
    ],
)
def test_what_the_hub_answers_in_place_of_a_token_says_whether_to_come_back(
    answer: bytes | None, kind: type[Exception]
) -> None:
    async def use(kit: Kit) -> None:
        with pytest.raises(kind) as caught:
            await kit.ports.tokens.token()
        if answer is not None and b"Retry-After" in answer:
            assert isinstance(caught.value, TemporaryFailure)
            assert caught.value.retry_after_s == 7

    _run(use, token=answer)


def test_calls_are_reported_within_a_second_and_the_breaker_is_the_hubs() -> None:
    async def use(kit: Kit) -> None:
        kit.played.answers["calls"] = {"breakers": {"default": {"state": "open", "retry_after_s": 20}}}
        kit.end("ok", "ok")
        await kit.until(lambda: len(kit.played.bodies("calls")) == 1)
        (report,) = kit.played.bodies("calls")
        assert [item["outcome"] for item in report["items"]] == ["ok", "ok"]

        async with asyncio.timeout(60):
            while not await kit.is_refused():  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.005)

    _run(use)


def test_it_opens_here_at_once_also_while_the_hub_is_away() -> None:
    async def use(kit: Kit) -> None:
        kit.end(*FAILED)
        with pytest.raises(TemporaryFailure):
            await kit.ports.breaker.before("default")

    _run(use, calls=None)


def test_after_the_pause_the_hub_says_who_makes_the_one_trial() -> None:
    async def use(kit: Kit) -> None:
        kit.end(*FAILED)
        kit.clock.advance(31)
        kit.played.answers["breaker/trial"] = {"granted": False, "state": "trial", "retry_after_s": 60}
        with pytest.raises(TemporaryFailure):
            await kit.ports.breaker.before("default")
        kit.clock.advance(61)
        kit.played.answers["breaker/trial"] = {"granted": True, "state": "trial", "retry_after_s": 0}
        await kit.ports.breaker.before("default")
        kit.end("ok")
        await kit.ports.breaker.before("default")

    _run(use, calls=None)


def test_a_report_that_did_not_get_through_is_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("atalaia.outbound.remote.RETRY_S", 0.01)

    async def use(kit: Kit) -> None:
        kit.end("ok")
        await kit.until(lambda: len(kit.played.bodies("calls")) >= 2)
        kit.played.answers["calls"] = {"breakers": {}}
        count = len(kit.played.bodies("calls"))
        await kit.until(lambda: len(kit.played.bodies("calls")) > count)
        await kit.remote.aclose()
        settled = len(kit.played.bodies("calls"))
        await kit.remote.aclose()
        assert len(kit.played.bodies("calls")) == settled

    _run(use, calls=_refused(503, "overloaded"))


def test_what_waits_is_reported_before_the_worker_ends() -> None:
    async def use(kit: Kit) -> None:
        kit.end("ok", "permanent")
        await kit.remote.aclose()
        assert len(kit.played.bodies("calls")[0]["items"]) == 2

    _run(use)
