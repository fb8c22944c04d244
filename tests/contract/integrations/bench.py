"""One integration on its simulator: its jobs run as a worker or the hub would run them, with ports in memory."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec

from atalaia.core.clock import SystemClock
from atalaia.core.settings import Setting, parse_value
from atalaia.outbound.guard import Guard, Trust
from atalaia.outbound.http import HttpClient
from atalaia.outbound.memory import MemoryBreaker, MemoryCalls, MemoryTokens
from atalaia.outbound.upstream import Ports, UpstreamClient
from atalaia.runs.outcome import Ended, perform, read_payload
from atalaia.runs.run import Assignment, Run
from atalaia.sdk.integration import Integration
from atalaia.sdk.jobs import JobType, StepRecord
from atalaia.sdk.upstreams import Login, TokenSource, UpstreamDeclaration


class Simulated(Protocol):
    """The third party on loopback, well until it is told otherwise."""

    @property
    def port(self) -> int: ...

    @property
    def secrets(self) -> Sequence[str]:
        """Values that must come out nowhere: those of the settings, and tokens that were given out."""

    def settings(self, port: int) -> Mapping[str, Any]:
        """What makes the integration call the third party at this port of loopback, quickly."""

    def expire(self) -> None:
        """No token that was given out so far is good any more."""

    def change_shape(self) -> None:
        """From now on it answers in another form than ever."""


@dataclass(frozen=True)
class Subject:
    """What the suite needs of an integration: tests/integrations/<name>/conformance.py has one as SUBJECT."""

    integration: Integration
    simulate: Callable[[], AbstractContextManager[Simulated]]
    jobs: Sequence[tuple[str, Mapping[str, Any]]]  # type and payload; each succeeds on a simulator that is well
    job_types: Sequence[JobType] = ()  # of the suite alone, for one that has none: its client at work
    needs_settings: bool = True  # without any it is not configured

    @property
    def name(self) -> str:
        return self.integration.manifest.name

    @property
    def logins(self) -> int:
        """How many a token costs: none where there is nothing to log in to."""
        return int(any(each.login is not None for each in self.integration.upstreams))


class Steps:
    """runs.steps.Line that keeps them."""

    def __init__(self) -> None:
        self.steps: list[StepRecord] = []

    def note(self, step: StepRecord) -> None:
        self.steps.append(step)

    async def commit(self, step: StepRecord) -> None:
        self.steps.append(step)


def values_of(declared: Iterable[Setting], given: Mapping[str, Any]) -> dict[str, Any]:
    """Name to value: those that are given, read as a file's would be, and defaults for the rest."""
    named = {setting.key.rpartition(".")[2]: setting for setting in declared}
    return {
        name: parse_value(setting, given[name]) if name in given else setting.default for name, setting in named.items()
    }


@dataclass
class Bench:
    """In one event loop, from its making to `aclose`."""

    integration: Integration
    settings: Mapping[str, Any]
    job_types: Sequence[JobType] = ()
    calls: MemoryCalls = field(default_factory=MemoryCalls)
    logins: int = 0

    def __post_init__(self) -> None:
        self._clock = SystemClock()
        self._http = HttpClient(Guard(allow_private=True))
        self._tokens: dict[str, MemoryTokens] = {}

    async def run(self, job_type: str, payload: Mapping[str, Any]) -> tuple[Ended, list[StepRecord]]:
        """Its end and its steps; breakers are closed before, as if their pause were over."""
        found = next(each for each in (*self.integration.job_types, *self.job_types) if each.name == job_type)
        raw = msgspec.json.encode(payload).decode()
        line = Steps()
        assignment = Assignment(
            "j1",
            job_type,
            1,
            raw,
            read_payload(found, raw),
            settings={name: self.settings[name] for name in found.settings},
            templates=self._templates(found),
        )
        client = self._client(found)
        run = Run(assignment, line=line, upstream=(lambda: client) if client else None)
        async with asyncio.timeout(60):
            return await perform(found, run, within_s=50), line.steps

    async def aclose(self) -> None:
        await self._http.aclose()

    def _declaration(self, job_type: JobType) -> UpstreamDeclaration | None:
        return next((each for each in self.integration.upstreams if each.name == job_type.upstream), None)

    def _templates(self, job_type: JobType) -> dict[str, Any]:
        declared = self._declaration(job_type)
        return {each.key: msgspec.to_builtins(each) for each in declared.built_in_frames()} if declared else {}

    def _client(self, job_type: JobType) -> UpstreamClient | None:
        declared = self._declaration(job_type)
        if declared is None:
            return None

        def made(tokens: TokenSource) -> UpstreamClient:
            ports = Ports(tokens, MemoryBreaker(clock=self._clock), self.calls)
            return UpstreamClient(
                declared, http=self._http, ports=ports, clock=self._clock, trust=lambda: Trust.CONFIGURED
            )

        async def login() -> Login:
            assert declared.login is not None
            self.logins += 1
            return await declared.login(made(MemoryTokens(None, clock=self._clock)), self.settings.__getitem__)

        return made(self._tokens.setdefault(declared.name, MemoryTokens(login, clock=self._clock)))
