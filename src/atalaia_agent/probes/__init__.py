"""One file for each kind, loaded when the first probe of it is there.

A probe is a function `measure(probe, context, found)`: it fills in `found`, and raises ProbeError, OSError or TimeoutError
when the target does not do as it should.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

from atalaia_agent.failures import ERROR, ProbeError
from atalaia_agent.outcome import Outcome
from atalaia_agent.reach import Reach
from atalaia_agent.wire import Probe

if TYPE_CHECKING:
    from atalaia_agent.turns import Turn

T = TypeVar("T")

KINDS = ("http", "tcp", "icmp", "dns", "tls", "postgresql", "mysql", "ping", "host", "prometheus")


class Identity:
    """What a ping says of its sender, and with which key to which hub."""

    def __init__(self, *, hub_origin: str = "", key: str = "", source: dict[str, str] | None = None) -> None:
        self.hub_origin = hub_origin
        self.key = key
        self.source = source or {}
        self.on_clock: Callable[[float, float, float, float], None] | None = None


class Context:
    """What a probe has besides its own description. One for each probe, as long as it is in the plan unchanged."""

    def __init__(self, *, reach: Reach | None = None, identity: Identity | None = None) -> None:
        self.reach = reach or Reach()
        self.identity = identity or Identity()
        self.turn: Turn | None = None
        """The measuring thread's, when it has it: for the deadline."""
        self.memory: dict[str, Any] = {}

    def remember(self, name: str, make: Callable[[], T]) -> T:
        if name not in self.memory:
            self.memory[name] = make()
        return self.memory[name]  # type: ignore[no-any-return]


# These wait for nothing but their connection, by the deadline, and so may run in the thread that has the turn.
GIVING_WAY = ("http", "tcp", "ping")

Measure = Callable[[Probe, Context, Outcome], None]


@cache
def load(kind: str) -> Measure:
    """Raises ProbeError for a kind that this version does not know."""
    if kind not in KINDS:
        raise ProbeError("unknown_kind", f"this agent has no probe of kind {kind!r}", outcome=ERROR)
    return import_module(f"{__name__}.{kind}").measure  # type: ignore[no-any-return]
