"""The contract of a job type: what is said of the work, and what its handler is given while it runs.

The same handler runs in the hub (`runs_on="hub"`) or in a worker on another machine, which has no database. The lease
machine is the hub's (slice jobs); docs/guides/workers.md has its wire form.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import msgspec

from atalaia.core.errors import AtalaiaError
from atalaia.core.translations import N_
from atalaia.sdk.upstreams import Upstream

RunsOn = Literal["hub", "worker"]
StepState = Literal["started", "done", "failed", "irreversible"]


class StepRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """One step as it goes over the wire; `n` counts from 1 in each attempt.

    `irreversible` says: the next thing I do can't be undone; a lease lost after it is an unknown outcome until the
    same step is `done` or `failed`. `data` is any JSON, secrets already redacted, at most 64 kB.
    """

    n: int
    name: str
    state: StepState
    data: Mapping[str, Any] = {}
    attempt: int = 0
    took_ms: int = 0  # since it began, by the clock of the one who does it


class Step(Protocol):
    """A step that is under way."""

    n: int

    async def note(self, **data: Any) -> None:
        """Add to the step's data, and show it at once."""


class JobRun(Protocol):
    """One attempt at a job. A lease that is lost or cancelled cancels the handler's task."""

    @property
    def id(self) -> str: ...

    @property
    def type(self) -> str: ...

    @property
    def attempt(self) -> int:
        """From 1; a lease lost to a dead worker counts apart."""

    @property
    def payload_raw(self) -> str:
        """The text that came in, to the byte."""

    @property
    def payload(self) -> Any:
        """The same, decoded as the type's `payload`."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """Those that the type names; never a secret."""

    @property
    def templates(self) -> Mapping[str, Any]:
        """Frame templates of the type's upstream by action name, as JSON (sdk.fidelity reads them)."""

    @property
    def earlier(self) -> Sequence[StepRecord]:
        """Steps of former attempts, oldest first."""

    def upstream(self) -> Upstream:
        """The client of the type's upstream."""

    def step(self, name: str, **data: Any) -> AbstractAsyncContextManager[Step]:
        """Record a step: started now, done at the end of the block, failed when it raises."""

    def irreversible(self, name: str, **data: Any) -> AbstractAsyncContextManager[Step]:
        """The same for a step that can't be undone: the block is entered only after the hub has committed it.

        Raises:
            TemporaryFailure: the hub did not answer in time; the block is not entered.
        """


Handler = Callable[[JobRun], Awaitable[Any]]


async def run_of_offer(run: JobRun) -> Any:
    """The `run` of a type of the hub's whose handler needs the host: `Offer.job_runs` has it."""
    raise JobFailed(N_("{type} has no handler here"), failure="no_handler", type=run.type)


@dataclass(frozen=True, slots=True)
class FormField:
    """A field of the form that starts a job by hand; `label` and `help` are English, keys of the translations."""

    name: str
    label: str
    help: str = ""
    kind: Literal["text", "number", "textarea"] = "text"
    is_required: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class JobType:
    """What the host knows of a type; free-text types of others' workers need none.

    `run` gives the result, as JSON. `resolve`, where there is one, is called in place of `run` after a lease was lost behind
    an irreversible step: it asks what happened and acts on nothing; without it, or when it raises `Uncertain`, the job ends as
    `error` with the reason `outcome_unknown`.
    """

    name: str
    title: str  # English, a key of the translations
    payload: type[msgspec.Struct]
    run: Handler
    resolve: Handler | None = None
    runs_on: RunsOn = "worker"
    max_attempts: int = 3
    whole_s: float = 900.0  # longer, and it is failed
    concurrency_key: Callable[[Any], str | None] = lambda _payload: (
        None
    )  # of the decoded payload: one at a time for each
    upstream: str | None = None  # while its breaker is open nothing of this type is leased
    settings: Sequence[str] = ()  # names of the integration's settings that a worker is given
    form: Sequence[FormField] = ()


class JobFailed(AtalaiaError):
    """The job did not do what it should; `failure` is a stable word for scripts (`payload_departs`, `silent_unit`, …)."""

    code = "job_failed"

    def __init__(
        self,
        message: str,
        *,
        failure: str,
        is_retryable: bool = False,
        retry_after_s: float | None = None,
        hint: str | None = None,
        **params: Any,
    ) -> None:
        super().__init__(message, hint=hint, **params)
        self.failure = failure
        self.is_retryable = is_retryable
        self.retry_after_s = retry_after_s


class JobSnoozed(AtalaiaError):
    """Not now: the job goes back and is due after `delay_s`; that is no attempt."""

    code = "job_snoozed"

    def __init__(self, message: str, *, delay_s: float, **params: Any) -> None:
        super().__init__(message, **params)
        self.delay_s = delay_s


class JobUncertain(AtalaiaError):
    """It may or may not have happened; a person, or `resolve`, has to find out."""

    code = "outcome_unknown"
