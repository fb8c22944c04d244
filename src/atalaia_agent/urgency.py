"""Which results can't wait for the next report. Pure."""

from __future__ import annotations

from atalaia_agent.outcome import Outcome

_SETTLED_AFTER = 10


class Urgency:
    """A change goes at once, and so does what follows until it has settled.

    A check that is down after three failures would else hear of the second and third one report interval late.
    """

    def __init__(self) -> None:
        self._last: tuple[bool, bool, str | None] | None = None
        self._unsettled = 0

    def is_urgent(self, found: Outcome) -> bool:
        state = (found.is_ok, found.is_degraded, found.error)
        is_changed, is_first = state != self._last, self._last is None
        self._last = state
        if not found.is_ok or (is_changed and not is_first):
            self._unsettled = _SETTLED_AFTER
            return True
        self._unsettled = max(0, self._unsettled - 1)
        return is_first or self._unsettled > 0
