"""What a unit of work leaves to be done at its end and after its commit: fronts of keys, wake-ups, news, counts."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from atalaia.core.clock import from_ms
from atalaia.jobs.events import JobEnded
from atalaia.jobs.model.states import ENDS, State
from atalaia.jobs.queries import fronts
from atalaia.jobs.queries.holding import Ended
from atalaia.jobs.service.bell import Bell, Wanted
from atalaia.jobs.service.lanes import Lanes
from atalaia.jobs.service.starts import Place, Starts
from atalaia.sdk.transaction import Tx

READY_TOPIC = "jobs.ready"


class Ending(NamedTuple):
    id: str
    lane: int
    row: Ended


class Listeners(NamedTuple):
    """Whom the effects reach, once committed."""

    lanes: Lanes
    bell: Bell
    starts: Starts
    due_at: Callable[[int], None]  # something becomes due then
    changed: Callable[[Sequence[str]], None]
    counted: Callable[[Mapping[tuple[str, str], int]], None]  # (type, outcome)


class Effects:
    """Of one unit; `settle` is its last step."""

    def __init__(self, tx: Tx, listeners: Listeners, *, now_ms: int) -> None:
        self._tx = tx
        self._to = listeners
        self.now_ms = now_ms
        self.keys: set[str] = set()
        self._changed: list[str] = []
        self._ready: Counter[int] = Counter()
        self._places: list[tuple[int, Place]] = []
        self._older: set[int] = set()
        self._due: list[int] = []
        self._counts: Counter[tuple[str, str]] = Counter()

    def changed(self, id: str) -> None:
        self._changed.append(id)

    def waits(self, lane: int, place: Place, *, is_new: bool = False) -> None:
        """A job without a key, or the front of one, waits in `lane`; a new one has the present as its time."""
        due_ms = place.due_ms
        if due_ms <= self.now_ms:
            self._ready[lane] += 1
            if self._tx.dialect == "postgresql":
                self._places.append((lane, place))
                if not is_new:
                    self._older.add(lane)
        else:
            self._due.append(due_ms)

    def counted(self, type: str, outcome: str, count: int = 1) -> None:
        self._counts[type, outcome] += count

    def ended(self, endings: Sequence[Ending]) -> None:
        self._changed += [each.id for each in endings]
        for (lane_id, state), count in Counter((each.lane, each.row.state) for each in endings).items():
            self._counts[self._to.lanes.known(self._tx, lane_id).type, str(ENDS[state])] += count
        if self._tx.hears(JobEnded):
            self._emit(endings)

    def ended_well(self, ids: Sequence[str], by_lane: Mapping[int, int]) -> None:
        """Jobs that succeeded, where nobody hears of each one."""
        self._changed += ids
        for lane_id, count in by_lane.items():
            self.counted(self._to.lanes.known(self._tx, lane_id).type, str(State.SUCCEEDED), count)

    def _emit(self, endings: Sequence[Ending]) -> None:
        for each in endings:
            lane = self._to.lanes.known(self._tx, each.lane)
            self._tx.emit(
                JobEnded(
                    id=each.id,
                    type=lane.type,
                    queue=lane.queue,
                    state=str(ENDS[each.row.state]),
                    attempts=each.row.attempts,
                    error=each.row.error,
                    ended_at=from_ms(each.row.ended_at),
                )
            )

    def settle(self) -> None:
        for front in fronts.settle(self._tx, self.keys, now_ms=self.now_ms) if self.keys else ():
            self.waits(front.lane, Place(front.rank, front.due_at, front.seq))
        if self._ready:
            self._wake()
        if self._due:
            first = min(self._due)
            self._tx.after_commit(lambda: self._to.due_at(first))
        if self._changed:
            self._tx.after_commit(lambda: self._to.changed(self._changed))
        if self._counts:
            self._tx.after_commit(lambda: self._to.counted(self._counts))

    def _wake(self) -> None:
        ready: Counter[Wanted] = Counter()
        for lane_id, count in self._ready.items():
            lane = self._to.lanes.known(self._tx, lane_id)
            ready[Wanted(lane.type, lane.is_resolve)] += count
            if self._tx.dialect == "postgresql":
                how = "older" if lane_id in self._older else "new"
                self._tx.publish(READY_TOPIC, f"{self._to.starts.hub} {how} {int(lane.is_resolve)} {lane.type}")
        self._tx.after_commit(lambda: self._tell_ready(ready))

    def _tell_ready(self, ready: Mapping[Wanted, int]) -> None:
        for lane, place in self._places:
            self._to.starts.became_ready(lane, place)
        self._to.bell.ring_from_any_thread(ready)
