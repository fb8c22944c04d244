"""The contract of a signal's task: what happens when somebody says "look now".

The slice `signals` has the lock, the throttle and the records; an integration gives tasks (`Offer.signal_tasks`). A run is on
record before its signal is answered. It holds the signal's lock by a lease with a fencing number, so that of two hubs one
runs, and one that comes back from the dead can write nothing.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeVar

from atalaia.core.errors import AtalaiaError
from atalaia.sdk.transaction import Tx

T = TypeVar("T")


class RunLost(AtalaiaError):
    """The run's lease went to another run: nothing was written, and nothing more may be done."""

    code = "run_lost"


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """`work`: how many things there were to do; a run that found none is counted, not kept.

    `summary` is English, a key of the translations, with `params` for its `{names}`.
    """

    work: int = 0
    summary: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)


class SignalRun(Protocol):
    """One run. When its lease is lost, its task is cancelled."""

    @property
    def id(self) -> str: ...

    @property
    def signal(self) -> str: ...

    @property
    def fence(self) -> int:
        """Grows with every run of the signal."""

    @property
    def source(self) -> str:
        """Who said it, as the signal's body names itself; `schedule` or `person` where it was neither."""

    async def write(self, unit: Callable[[Tx], T]) -> T:
        """Run `unit` in a transaction in which the lease is checked, and kept from others until the commit.

        Raises: RunLost.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalTask:
    """`name` is `<integration>.<task>`; `run` raises the failures of sdk.failures, and what else it raises is a failed run too."""

    name: str
    title: str  # English, a key of the translations
    run: Callable[[SignalRun], Awaitable[RunOutcome]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalAddress:
    """A kept address that gives the signal `signal`, answered as `POST /api/signals/<signal>` is."""

    path: str
    signal: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalStanding:
    """A signal as it stands; `last_started_at` is when its last run began, `href` is its page."""

    name: str
    href: str
    is_paused: bool
    is_running: bool
    last_started_at: datetime | None
