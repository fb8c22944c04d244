"""What watch needs of the slices below it; `wiring` fills these from agents, notify and metrics."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from atalaia.agents.model.wire import Result as WireResult
from atalaia.notify.model.notice import IncidentNotice, Told
from atalaia.sdk.transaction import Tx

Tell = Callable[[Tx, IncidentNotice], Told]
"""Queue the messages of a notice, in the same transaction."""

Sample = tuple[str, Mapping[str, str], int, float]
"""(name, labels, instant in ms, value)"""
WriteSamples = Callable[[Tx, Sequence[Sample]], None]


class ProbeOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent is to measure; `id` is the check's, `secrets` are in the clear."""

    id: str
    kind: str
    target: str
    interval_s: float
    timeout_s: float
    options: dict[str, Any] = {}
    secrets: dict[str, str] = {}
    labels: dict[str, str] = {}


class AgentRef(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    name: str
    is_silent: bool = False


class Fleet(Protocol):
    """The agents, as far as checks concern them."""

    def assign(self, tx: Tx, order: ProbeOrder, agent_ids: Sequence[str]) -> None:
        """Exactly these agents measure it from now on, in this form; they hear of it at once."""

    def withdraw(self, tx: Tx, probe_id: str) -> None: ...

    def find(self, tx: Tx, name_or_id: str) -> AgentRef | None: ...

    def pick(self, tx: Tx, *, but_not: Iterable[str] = ()) -> str | None:
        """The id of the agent that measures least, of those that are heard."""

    async def all(self) -> list[AgentRef]:
        """Those in use, by name."""

    async def try_now(self, order: ProbeOrder, *, agent_id: str, timeout_s: float) -> WireResult:
        """Have it measured once, at once.

        Raises:
            Conflict: no answer from the agent in time.
        """
