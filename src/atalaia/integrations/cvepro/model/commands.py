"""What people have a charge point do."""

from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import msgspec

TIMEOUT_S: Final = 30.0  # for its answer
LIFE_S: Final = 40.0  # from asking until nobody waits any more, also where another hub has its line


class Action(StrEnum):
    START = "start"
    STOP = "stop"
    UNLOCK = "unlock"
    SOFT_RESET = "soft_reset"
    HARD_RESET = "hard_reset"
    ENABLE = "enable"
    DISABLE = "disable"
    DROP = "drop"  # of our own: its line is closed


class CommandState(StrEnum):
    WAITING = "waiting"
    SENT = "sent"
    ANSWERED = "answered"
    NO_ANSWER = "no_answer"
    FAILED = "failed"  # the answer was an error


ENDED: Final = frozenset({CommandState.ANSWERED, CommandState.NO_ANSWER, CommandState.FAILED})


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """`answer` is OCPP's status word, or the error's."""

    id: str
    box_id: str
    action: Action
    arguments: dict[str, Any] = msgspec.field(default_factory=dict)
    state: CommandState = CommandState.WAITING
    answer: str | None = None
    asked_by: str
    asked_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None

    def standing(self, now: datetime) -> CommandState:
        """One that nobody answered in time is over, also where the hub that had it is gone."""
        return CommandState.NO_ANSWER if self.state not in ENDED and now > self.expires_at else self.state
