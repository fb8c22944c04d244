"""Where a job stands: in the queue's own words, in ours, and in the five that users of the first system know. Pure."""

from enum import StrEnum
from typing import Final


class State(StrEnum):
    WAITING = "waiting"
    SNOOZED = "snoozed"
    RETRYING = "retrying"
    LEASED = "leased"
    RESOLVING = "resolving"  # what it came to is being found out, or waits for a worker that can
    SUCCEEDED = "succeeded"
    FAILED = "failed"  # for good, by its worker's word
    DEAD = "dead"  # its tries are used up
    UNKNOWN = "unknown"
    CANCELLED = "cancelled"


class Status(StrEnum):
    """The kept ones."""

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    ERROR = "error"
    CANCELLED = "cancelled"


STATUS: Final = {
    State.WAITING: Status.PENDING,
    State.SNOOZED: Status.PENDING,
    State.RETRYING: Status.PENDING,
    State.LEASED: Status.PROCESSING,
    State.RESOLVING: Status.PROCESSING,
    State.SUCCEEDED: Status.COMPLETED,
    State.FAILED: Status.ERROR,
    State.DEAD: Status.ERROR,
    State.UNKNOWN: Status.ERROR,
    State.CANCELLED: Status.CANCELLED,
}
FINISHED: Final = (State.SUCCEEDED, State.FAILED, State.DEAD, State.UNKNOWN, State.CANCELLED)

# `job_queue.place`: what the index of ready jobs, the promoter and the reaper go by.
SCHEDULED: Final = 0  # not due yet
READY: Final = 1
BEHIND: Final = 2  # due, or not: another job of its concurrency key goes first
HELD: Final = 3  # by a lease

# `job_queue.phase`: why it waits.
PHASES: Final = (State.WAITING, State.SNOOZED, State.RETRYING, State.RESOLVING)
PHASE: Final = {state: number for number, state in enumerate(PHASES)}

# `job_ends.state`
ENDS: Final = FINISHED
END: Final = {state: number for number, state in enumerate(ENDS)}

# `job_queue.irreversible`: of the attempt under way.
NONE: Final = 0
OPEN: Final = 1  # declared, and not yet done or failed: it may or may not have happened
TAKEN: Final = 2  # it surely happened


def state_of(place: int, phase: int, *, is_resolve: bool) -> State:
    """Of a job that has not ended."""
    if is_resolve:
        return State.RESOLVING
    return State.LEASED if place == HELD else PHASES[phase]
