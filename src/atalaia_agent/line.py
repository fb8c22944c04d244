"""Whether the agent's own line is up, asked when a probe has failed: an agent that reaches nobody says so."""

from __future__ import annotations

from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING

from atalaia_agent.deadline import Deadline
from atalaia_agent.dial import Address, race, resolve
from atalaia_agent.failures import ProbeError

if TYPE_CHECKING:
    from atalaia_agent.turns import Turn

UP, DOWN, UNKNOWN = "up", "down", "unknown"

_KEPT_S = 10.0
_TIMEOUT_S = 2.0


class Line:
    def __init__(self, references: list[tuple[str, int]]) -> None:
        self._references = references
        self._lock = Lock()
        self._checked_at: float | None = None
        self._state = UNKNOWN

    @property
    def state(self) -> str:
        return self._state

    def check(self, turn: Turn | None = None) -> str:
        """Up as soon as one reference address takes a connection; the answer holds for 10 s."""
        if not self._references:
            return UNKNOWN
        if turn is not None and self._lock.locked():
            turn.pass_on()
        with self._lock:
            if self._checked_at is None or monotonic() - self._checked_at > _KEPT_S:
                self._state = UP if self._reaches_one(turn) else DOWN
                self._checked_at = monotonic()
            return self._state

    def _reaches_one(self, turn: Turn | None) -> bool:
        deadline = Deadline(_TIMEOUT_S, turn)
        try:
            addresses = self._addresses(deadline)
            if not addresses:
                return False
            sock, _ = race(addresses, deadline)
        except (OSError, ProbeError):
            return False
        sock.close()
        return True

    def _addresses(self, deadline: Deadline) -> list[Address]:
        found: list[Address] = []
        for host, port in self._references:
            try:
                found += resolve(host, port, deadline=deadline)
            except TimeoutError:
                break
            except (OSError, ProbeError):
                continue
        return found
