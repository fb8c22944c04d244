"""Signals over HTTP: the answers that signallers know, to the byte; what people see and change."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from atalaia.access.service.keys import create_key
from atalaia.app.hub import Hub
from atalaia.app.options import HubOptions
from atalaia.core.clock import SystemClock
from atalaia.core.errors import StoreUnavailable
from atalaia.core.permissions import SYSTEM
from tests.acceptance.receiver import Receiver
from tests.tables import copy_tables

NAME = "monitor-execution"
ADDRESS = f"/api/signals/{NAME}"
KEPT = "/functions/v1/monitor-execution"
LOOK = {"name": NAME, "task": "binance.auto_close", "min_interval_s": 0}
Json = dict[str, Any]


class Caller:
    """A hub in this process, asked over HTTP."""

    def __init__(self, hub: Hub, client: httpx.AsyncClient) -> None:
        self.hub = hub
        self.client = client
        self.admin = self.key("admin")
        self.own = self.key(f"signal:{NAME}")

    def key(self, *scopes: str) -> str:
        now = SystemClock().now()
        made = self.hub.store.write_now(lambda tx: create_key(tx, SYSTEM, name="k", scopes=[*scopes], now=now))
        return made.value

    async def send(
        self, path: str = ADDRESS, *, key: str | None = None, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> httpx.Response:
        carried = headers or {"x-monitor-key": key or self.own}
        return await self.client.post(path, content=body, headers=carried)

    async def ask(self, method: str, path: str, body: Any = None, *, status: int = 200, key: str | None = None) -> Any:
        answer = await self.client.request(method, path, json=body, headers={"x-api-key": key or self.admin})
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    async def until_ended(self, name: str) -> Json:
        """The signal, once no run of it is under way."""
        async with asyncio.timeout(60):
            while (signal := await self.ask("GET", f"/api/signals/{name}"))["running"] is not None:  # noqa: ASYNC110 - over HTTP
                await asyncio.sleep(0.02)
        return dict(signal)


Scene = Callable[[Caller], Awaitable[None]]
Play = Callable[..., None]


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Play:
    monkeypatch.setenv("ATALAIA_ALLOW_PRIVATE_TARGETS", "1")

    def play(scene: Scene) -> None:
        async def run() -> None:
            async with calling(tmp_path) as caller:
                await scene(caller)

        asyncio.run(run())

    return play


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


@asynccontextmanager
async def calling(folder: Path) -> AsyncIterator[Caller]:
    copy_tables(folder)
    hub = Hub(HubOptions(folder))
    async with hub._lifespan(None):
        transport = httpx.ASGITransport(app=hub.asgi, client=("192.0.2.7", 50000), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://hub.example") as client:
            yield Caller(hub, client)


@pytest.mark.parametrize("path", [ADDRESS, KEPT])
def test_the_kept_answers(play: Play, path: str) -> None:
    async def scene(caller: Caller) -> None:
        await caller.ask("POST", "/api/signals", LOOK | {"min_interval_s": 3600}, status=201)
        begun = await caller.send(path, body=b'{"timestamp": "2026-01-02T03:04:05.678Z", "source": "vps-monitor"}')
        assert (begun.status_code, begun.content) == (
            202,
            b'{"status":"processing","message":"Monitor execution started"}',
        )
        assert begun.headers["content-type"] == "application/json"
        await caller.until_ended(NAME)
        throttled = await caller.send(path)
        assert (throttled.status_code, throttled.content) == (
            429,
            b'{"status":"throttled","message":"Too many requests"}',
        )
        assert 1 <= int(throttled.headers["retry-after"]) <= 3600
        for headers in ({"x-monitor-key": "wrong"}, {"x-nothing": ""}):
            refused = await caller.send(path, headers=headers)
            assert (refused.status_code, refused.content) == (401, b'{"error":"Unauthorized"}')

    play(scene)


def test_a_run_under_way_is_skipped_on_the_record(play: Play, tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    (tmp_path / "atalaia.toml").write_text(
        f'[signals.commands]\nwait = ["/bin/sh", "-c", "while [ ! -e {flag} ]; do sleep 0.02; done; echo done"]\n',
        encoding="utf-8",
    )

    async def scene(caller: Caller) -> None:
        await caller.ask("POST", "/api/signals", {"name": NAME, "task": "command", "command": "wait"}, status=201)
        assert (await caller.send()).status_code == 202
        skipped = await caller.send()
        assert (skipped.status_code, skipped.content) == (
            200,
            b'{"status":"skipped","message":"Monitor already running"}',
        )
        assert (await caller.ask("POST", f"{ADDRESS}/run", status=409))["error"]["code"] == "signal_running"
        flag.touch()
        signal = await caller.until_ended(NAME)
        assert (signal["last_run"]["outcome"], signal["last_run"]["output"]) == ("succeeded", "done")

    play(scene)


def test_any_header_for_keys_and_any_source_is_fine(play: Play) -> None:
    async def scene(caller: Caller) -> None:
        await caller.ask("POST", "/api/signals", LOOK, status=201)
        for headers in (
            {"x-monitor-key": caller.own},
            {"x-cron-secret": caller.own},
            {"X-API-Key": caller.own},
            {"Authorization": f"Bearer {caller.own}"},
            {"x-admin-key": caller.admin},
        ):
            assert (await caller.send(headers=headers)).status_code in {200, 202}
        for body in (b"", b" ", b"{}", b'{"source": 7}', b'{"source": null}', b'{"source": {"a": "\\u0000"}}'):
            assert (await caller.send(body=body)).status_code in {200, 202}, body
        form = {"x-monitor-key": caller.own, "content-type": "application/x-www-form-urlencoded"}
        assert (await caller.send(body=b"{}", headers=form)).status_code in {200, 202}

    play(scene)


def test_what_is_wrong_is_said_in_the_kept_form(play: Play) -> None:
    async def scene(caller: Caller) -> None:
        await caller.ask("POST", "/api/signals", LOOK, status=201)
        for body in (b"[1]", b'"x"', b"{", b"\xff"):
            wrong = await caller.send(body=body)
            assert (wrong.status_code, list(wrong.json())) == (400, ["error"]), body
        large = await caller.send(body=b"{" + b" " * 20_000 + b"}")
        assert (large.status_code, large.json()) == (413, {"error": "The body is over 16384 bytes"})
        other = await caller.send("/api/signals/another")
        assert (other.status_code, other.json()) == (403, {"error": "This key is not for this signal"})
        unknown = await caller.send("/api/signals/another", key=caller.admin)
        assert (unknown.status_code, unknown.json()) == (404, {"error": "There is no such signal"})
        unheard = await caller.send("/api/signals/a%00b", key=caller.admin)
        assert (unheard.status_code, unheard.json()) == (404, {"error": "There is no such signal"})
        read = await caller.send(key=caller.key("read", "write", "jobs:create"))
        assert read.status_code == 403
        await caller.ask("PATCH", ADDRESS, {"is_paused": True})
        assert (await caller.send()).json() == {"error": "The signal is paused"}

    play(scene)


def test_a_500_says_where_to_look_and_nothing_of_the_inside(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene(caller: Caller) -> None:
        async def broken(*_args: object) -> None:
            raise RuntimeError("secret path /var/lib")

        async def away(*_args: object) -> None:
            raise StoreUnavailable("the database can't be reached")

        starting = caller.hub.contributions  # the service stands behind the routes
        service = next(part for part in starting if part.name == "signals").dependencies["signals"].dependency()
        monkeypatch.setattr(type(service.starting), "start", broken)
        answer = await caller.send()
        assert answer.status_code == 500
        assert list(answer.json()) == ["error"]
        assert answer.json()["error"].startswith("Something went wrong here (id ")
        monkeypatch.setattr(type(service.starting), "start", away)
        answer = await caller.send()
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")

    play(scene)


def test_signals_are_made_changed_seen_and_dropped(play: Play) -> None:
    async def scene(caller: Caller) -> None:
        job = {"type": "clean", "payload": {"deep": [1, 2]}}
        made = await caller.ask(
            "POST", "/api/signals", {"name": "nightly", "task": "job", "job": job, "cron": "0 3 * * *"}, status=201
        )
        assert made["is_new"] is True
        assert made["signal"]["job"]["payload"] == {"deep": [1, 2]}
        assert made["signal"]["next_at"] is not None
        clash = await caller.ask("POST", "/api/signals", {"name": "nightly", "task": "job", "job": job}, status=409)
        assert clash["error"]["code"] == "name_taken"
        wrong = await caller.ask("PATCH", "/api/signals/nightly", {"min_interval_s": -1}, status=422)
        assert wrong["error"]["field"] == "min_interval_s"
        changed = await caller.ask("PATCH", "/api/signals/nightly", {"min_interval_s": 0, "cron": None})
        assert (changed["signal"]["min_interval_s"], changed["signal"]["next_at"]) == (0, None)
        begun = await caller.ask("POST", "/api/signals/nightly/run", status=202)
        runs = await caller.ask("GET", "/api/signals/nightly/runs")
        assert [(run["id"], run["outcome"]) for run in runs["items"]] == [(begun["run"], "succeeded")]
        made_job = await caller.ask("GET", f"/api/jobs/{runs['items'][0]['params']['job']}")
        assert made_job["type"] == "clean"
        assert (await caller.ask("GET", "/api/signals/nightly/rates"))["durations"]["outcomes"] == {"succeeded": 1}
        assert [signal["name"] for signal in (await caller.ask("GET", "/api/signals"))["items"]] == ["nightly"]
        assert {"job", "webhook", "command"} <= {
            task["name"] for task in (await caller.ask("GET", "/api/signal-tasks"))["items"]
        }
        await caller.ask("DELETE", "/api/signals/nightly", status=204)
        await caller.ask("GET", "/api/signals/nightly", status=404)
        entries = (await caller.ask("GET", "/api/audit"))["items"]
        wanted = ["signal.dropped", "signal.changed", "signal.created"]
        assert [entry["action"] for entry in entries if entry["object"] == "signal:nightly"] == wanted

    play(scene)


def test_a_key_that_may_write_makes_no_jobs_by_way_of_a_signal(play: Play) -> None:
    async def scene(caller: Caller) -> None:
        body = {"name": "nightly", "task": "job", "job": {"type": "clean", "payload": {}}}
        refused = await caller.ask("POST", "/api/signals", body, status=403, key=caller.key("write"))
        assert refused["error"]["code"] == "forbidden"
        await caller.ask("POST", "/api/signals", body, status=201, key=caller.key("write", "jobs:create"))

    play(scene)


def test_a_webhook_is_told_with_a_signature(play: Play, receiver: Receiver) -> None:
    async def scene(caller: Caller) -> None:
        hook = {"name": "hook", "task": "webhook", "min_interval_s": 0, "webhook": {"url": f"{receiver.url}/hook"}}
        made = await caller.ask("POST", "/api/signals", hook, status=201)
        secret = made["secret"]
        assert secret not in json.dumps(await caller.ask("GET", "/api/signals/hook"))
        assert (await caller.send("/api/signals/hook", key=caller.admin, body=b'{"source":"there"}')).status_code == 202
        signal = await caller.until_ended("hook")
        assert signal["last_run"]["outcome"] == "succeeded", signal
        (got,) = receiver.deliveries
        assert got.is_signed_with(secret)
        assert got.delivery_id == signal["last_run"]["id"]
        told = got.json
        assert (told["signal"], told["source"], told["fence"]) == ("hook", "there", 1)

    play(scene)


def test_runs_that_fail_in_a_row_are_an_incident_until_one_goes_well(
    play: Play, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ATALAIA_SIGNALS_FAILURES_TO_INCIDENT", "2")

    async def incidents(caller: Caller, state: str) -> list[str]:
        return [each["title"] for each in (await caller.ask("GET", f"/api/incidents?state={state}"))["items"]]

    async def scene(caller: Caller) -> None:
        hook = {"name": "hook", "task": "webhook", "min_interval_s": 0, "webhook": {"url": receiver.url}}
        await caller.ask("POST", "/api/signals", hook, status=201)
        receiver.status = 500
        for expected in ([], ["Runs of a signal fail: hook"]):
            await caller.ask("POST", "/api/signals/hook/run", status=202)
            signal = await caller.until_ended("hook")
            assert signal["last_run"]["error"] == "the receiver answered 500 Internal Server Error"
            assert await incidents(caller, "open") == expected
        receiver.status = 200
        await caller.ask("POST", "/api/signals/hook/run", status=202)
        await caller.until_ended("hook")
        assert (await incidents(caller, "open"), len(await incidents(caller, "resolved"))) == ([], 1)

    play(scene)
