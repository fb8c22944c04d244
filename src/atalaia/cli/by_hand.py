"""One job in the foreground: for a hub, on its record, or here alone; its steps are shown as they come."""

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import typer

from atalaia.app.integrations import setting_getter
from atalaia.app.slices import read_settings
from atalaia.cli.hubs import HubCalls
from atalaia.core.clock import SystemClock
from atalaia.core.errors import ConfigError
from atalaia.core.ids import new_id
from atalaia.core.redaction import Secret
from atalaia.core.settings import Settings
from atalaia.integrations import Loaded, find_integrations
from atalaia.outbound.guard import Guard, Trust
from atalaia.outbound.http import HttpClient
from atalaia.outbound.memory import MemoryBreaker, MemoryCalls, MemoryTokens
from atalaia.outbound.upstream import Ports, UpstreamClient
from atalaia.runs.outcome import Ended, perform, read_payload
from atalaia.runs.run import Assignment, Run
from atalaia.sdk.failures import PermanentFailure
from atalaia.sdk.jobs import JobType, StepRecord
from atalaia.sdk.upstreams import Login, TokenSource, Upstream, UpstreamDeclaration
from atalaia.worker.known import find_known
from atalaia.worker.options import WorkerOptions
from atalaia.worker.worker import Worker

POLL_S: Final = 0.5
FIRST_IN_LINE: Final = 1000
_EXITS: Final = {"succeeded": 0, "unknown": 3, "uncertain": 3}
_SIGNS: Final = {"started": "…", "done": "✓", "failed": "✗", "irreversible": "!"}


class Telling:
    """Says steps and the end, as lines for eyes or as JSON lines."""

    def __init__(self, *, is_json: bool) -> None:
        self._is_json = is_json
        self._told: dict[tuple[int, int], bytes] = {}

    def steps(self, steps: Sequence[Mapping[str, Any]]) -> None:
        """Those that are new, or have changed since."""
        for step in steps:
            key = (step["attempt"], step["n"])
            form = msgspec.json.encode(step)
            if self._told.get(key) != form:
                self._told[key] = form
                self.step(step)

    def step(self, step: Mapping[str, Any]) -> None:
        if self._is_json:
            typer.echo(msgspec.json.encode({"step": step}).decode())
            return
        typer.echo(
            f"{time.strftime('%H:%M:%S')} {_SIGNS[step['state']]} {step['n']:>2} {step['name']} ({step['state']})"
        )
        for name, value in step["data"].items():
            shown = value if isinstance(value, str) else msgspec.json.encode(value).decode()
            typer.echo(f"             {name}: {shown}")

    def note(self, text: str) -> None:
        if not self._is_json:
            typer.echo(text, err=True)

    def end(self, job: Mapping[str, Any]) -> None:
        if self._is_json:
            typer.echo(msgspec.json.encode({"end": job}).decode())
            return
        error = job.get("error") or {}
        typer.echo(f"{job['status']}: {error['message']}" if error else job["status"])
        if error.get("hint"):
            typer.echo(f"  {error['hint']}")
        if job.get("result") is not None:
            typer.echo(msgspec.json.format(msgspec.json.encode(job["result"])).decode())


# -- for a hub


async def run_at_hub(job_type: str, payload: bytes, *, hub: str, key: Secret, telling: Telling) -> int:
    """The exit status. Ctrl-C ends this process' work on it; the job goes back to the hub."""
    known = find_known([job_type])
    calls = HubCalls(hub, key)
    try:
        asked = {"type": job_type, "payload": msgspec.Raw(payload), "priority": FIRST_IN_LINE}
        made = await calls.post("/api/jobs", msgspec.json.encode(asked))
        telling.note(f"Job {made['id']}")
        name = f"by-hand-{socket.gethostname()}-{os.getpid()}"
        options = WorkerOptions(hub=hub, key=key.reveal(), name=name, concurrency=1, wait_s=2.0)
        worker = Worker(options, known.types, upstreams=known.upstreams, only=made["id"])
        working = asyncio.create_task(worker.run())
        try:
            return await _follow(calls, made["id"], working, worker=worker, telling=telling)
        finally:
            worker.drain()
            await working
    finally:
        await calls.aclose()


async def _follow(
    calls: HubCalls, job_id: str, working: "asyncio.Task[Any]", *, worker: Worker, telling: Telling
) -> int:
    own_words = worker.reason
    while True:
        job = await calls.get(f"/api/jobs/{job_id}")
        telling.steps(job["steps"])
        if job["status"] in {"completed", "error", "cancelled"}:
            telling.end(job)
            return _EXITS.get(job["state"], 1)
        if working.done() and worker.reason != own_words:
            own_words = worker.reason
            telling.note(f"{worker.reason} Another worker has to run it.")
        await asyncio.sleep(POLL_S)


# -- here alone


class _Spoken:
    """runs.steps.Line that only says what happens: there is nobody who keeps it."""

    def __init__(self, telling: Telling) -> None:
        self._telling = telling

    def note(self, step: StepRecord) -> None:
        self._telling.step({**msgspec.to_builtins(step), "data": dict(step.data)})

    async def commit(self, step: StepRecord) -> None:
        self.note(step)


async def run_here(name: str, payload: bytes, *, data_dir: Path, telling: Telling) -> int:
    loaded, job_type = _find(name)
    settings = read_settings(data_dir)
    telling.note("Without --hub: this run is on no record, and its settings are those of environment and atalaia.toml.")
    http = HttpClient(Guard(allow_private=True))
    try:
        run = Run(
            Assignment(
                new_id(),
                name,
                1,
                payload.decode(),
                read_payload(job_type, payload.decode()),
                settings={each: setting_getter(settings, loaded.name)(each) for each in job_type.settings},
                templates=_templates(loaded, job_type),
            ),
            line=_Spoken(telling),
            upstream=_upstream(loaded, job_type, settings, http),
        )
        ended = await perform(job_type, run, within_s=job_type.whole_s)
    finally:
        await http.aclose()
    telling.end(_shown(ended))
    return _EXITS.get(ended.outcome, 1)


def _find(name: str) -> tuple[Loaded, JobType]:
    names: list[str] = []
    for loaded in find_integrations():
        for job_type in loaded.integration.job_types if loaded.integration else ():
            if job_type.name == name:
                return loaded, job_type
            names.append(job_type.name)
    raise ConfigError(f"there is no job type {name}", hint=f"There are: {', '.join(sorted(names)) or 'none'}.")


def _templates(loaded: Loaded, job_type: JobType) -> dict[str, Any]:
    declaration = _declaration(loaded, job_type)
    return {each.key: msgspec.to_builtins(each) for each in declaration.built_in_frames()} if declaration else {}


def _declaration(loaded: Loaded, job_type: JobType) -> UpstreamDeclaration | None:
    declared = loaded.integration.upstreams if loaded.integration else ()
    return next((each for each in declared if each.name == job_type.upstream), None)


def _upstream(loaded: Loaded, job_type: JobType, settings: Settings, http: HttpClient) -> Any:
    declaration = _declaration(loaded, job_type)
    if declaration is None:
        return None
    clock = SystemClock()
    breaker, calls = MemoryBreaker(clock=clock), MemoryCalls()

    def made(tokens: TokenSource) -> UpstreamClient:
        ports = Ports(tokens, breaker, calls)
        return UpstreamClient(declaration, http=http, ports=ports, clock=clock, trust=lambda: Trust.CONFIGURED)

    async def login() -> Login:
        if declaration.login is None:
            raise PermanentFailure("There is no way to log in.")
        return await declaration.login(made(MemoryTokens(None, clock=clock)), setting_getter(settings, loaded.name))

    client: Upstream = made(MemoryTokens(login, clock=clock, life_s=declaration.token_life_s))
    return lambda: client


def _shown(ended: Ended) -> dict[str, Any]:
    status = {"succeeded": "completed", "cancelled": "cancelled"}.get(ended.outcome, "error")
    error = msgspec.to_builtins(ended.error) if ended.error else None
    result = None
    with contextlib.suppress(msgspec.MsgspecError):
        result = msgspec.json.decode(ended.result) if ended.result is not None else None
    return {"status": status, "state": ended.outcome, "error": error, "result": result}
