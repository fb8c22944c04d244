"""What a handler is given while it runs: sdk.jobs.JobRun over a line to the lease."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from atalaia.core.errors import AtalaiaError, ConfigError, TargetRefused
from atalaia.runs.steps import Line, OpenStep
from atalaia.sdk.failures import AuthExpired, PermanentFailure
from atalaia.sdk.jobs import JobFailed, JobUncertain, Step, StepRecord
from atalaia.sdk.upstreams import Upstream

Mode = Literal["run", "resolve"]
# After these nothing can have happened: the other side said no, or was not asked. All else leaves it open.
_NOT_DONE: Final = (JobFailed, PermanentFailure, AuthExpired, TargetRefused)


@dataclass(frozen=True, slots=True)
class Assignment:
    """A leased job, as its handler may see it."""

    id: str
    type: str
    attempt: int
    payload_raw: str
    payload: Any
    mode: Mode = "run"
    settings: Mapping[str, Any] = field(default_factory=dict)
    templates: Mapping[str, Any] = field(default_factory=dict)
    earlier: Sequence[StepRecord] = ()


class Run:
    """See sdk.jobs.JobRun.

    `has_acted`: an irreversible step was begun that is not known to have failed: this job must not be begun anew blindly.
    """

    def __init__(self, assignment: Assignment, *, line: Line, upstream: Callable[[], Upstream] | None) -> None:
        self._given = assignment
        self._line = line
        self._upstream = upstream
        self._steps = 0
        self._acted: set[int] = set()

    @property
    def id(self) -> str:
        return self._given.id

    @property
    def type(self) -> str:
        return self._given.type

    @property
    def attempt(self) -> int:
        return self._given.attempt

    @property
    def payload_raw(self) -> str:
        return self._given.payload_raw

    @property
    def payload(self) -> Any:
        return self._given.payload

    @property
    def settings(self) -> Mapping[str, Any]:
        return self._given.settings

    @property
    def templates(self) -> Mapping[str, Any]:
        return self._given.templates

    @property
    def earlier(self) -> Sequence[StepRecord]:
        return self._given.earlier

    @property
    def mode(self) -> Mode:
        return self._given.mode

    @property
    def has_acted(self) -> bool:
        return bool(self._acted)

    def upstream(self) -> Upstream:
        if self._upstream is None:
            raise ConfigError(f"the job type {self.type} names no upstream")
        return self._upstream()

    @asynccontextmanager
    async def step(self, name: str, **data: Any) -> AsyncIterator[Step]:
        step = self._begin(name, data)
        self._line.note(step.record())
        try:
            yield step
        except BaseException as error:
            step.end("failed", error=words_of(error))
            raise
        step.end("done")

    @asynccontextmanager
    async def irreversible(self, name: str, **data: Any) -> AsyncIterator[Step]:
        if self.mode == "resolve":
            raise JobUncertain("A job whose outcome is looked for must not act.")
        step = self._begin(name, data, is_irreversible=True)
        try:
            await self._line.commit(step.record())
        except BaseException as error:
            # The hub may have it all the same, and must hear that nothing was done.
            step.end("failed", error=words_of(error))
            raise
        self._acted.add(step.n)
        try:
            yield step
        except _NOT_DONE as error:
            self._acted.discard(step.n)
            step.end("failed", error=words_of(error))
            raise
        except BaseException as error:
            step.end("irreversible", error=words_of(error))
            raise
        step.end("done")

    def _begin(self, name: str, data: Mapping[str, Any], *, is_irreversible: bool = False) -> OpenStep:
        self._steps += 1
        return OpenStep(self._line, self._steps, name, data, state="irreversible" if is_irreversible else "started")


def words_of(error: BaseException) -> str:
    """For the record: what was said, or the kind of an error that was not meant for people."""
    if isinstance(error, AtalaiaError):
        return str(error)
    return type(error).__name__
