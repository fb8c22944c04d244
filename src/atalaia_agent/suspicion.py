"""Whether a hub that answers 500 stumbles over one record or over everything. Pure."""

from __future__ import annotations

from enum import Enum

PATIENCE = 5
MOST_IN_A_ROW = 3


class Verdict(Enum):
    WAIT = "try the same again later"
    HALVE = "try the first half at once"
    ACCUSE = "this one record, if the hub is well otherwise"


class Suspicion:
    """A failure that a record causes comes back with that record, however long one waits, and holds up all after it.

    After five failures of batches that begin with the same record the batch is halved until the culprit is alone. A hub that
    fails on all records must not empty the spool: after three accusations in a row another batch has to pass first.
    """

    def __init__(self) -> None:
        self._begins_with: tuple[str, int] | None = None
        self._failures = 0
        self._suspects: tuple[str, int] | None = None
        self._in_a_row = 0

    @property
    def is_searching(self) -> bool:
        return self._suspects is not None

    def failed(self, *, spool_id: str, first_seq: int, last_seq: int) -> Verdict:
        beginning = (spool_id, first_seq)
        self._failures = self._failures + 1 if beginning == self._begins_with else 1
        self._begins_with = beginning
        if not self.is_searching and self._failures < PATIENCE:
            return Verdict.WAIT
        if first_seq < last_seq:
            self._suspects = self._suspects or (spool_id, last_seq)
            return Verdict.HALVE
        if self._in_a_row < MOST_IN_A_ROW:
            return Verdict.ACCUSE
        self.drop()
        return Verdict.WAIT

    def passed(self, *, spool_id: str, last_seq: int) -> None:
        self._in_a_row = 0
        if self._suspects is not None and (spool_id != self._suspects[0] or last_seq >= self._suspects[1]):
            self.drop()

    def accused(self) -> None:
        self._in_a_row += 1
        self.drop()

    def drop(self) -> None:
        self._begins_with = self._suspects = None
        self._failures = 0
