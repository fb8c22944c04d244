"""Which lanes there are: remembered, looked up, or made where one is new."""

from collections.abc import Iterable

from atalaia.core.errors import InvalidField
from atalaia.core.translations import N_
from atalaia.jobs.queries import lanes as queries
from atalaia.jobs.queries.lanes import Lane
from atalaia.jobs.service.bell import Wanted
from atalaia.sdk.transaction import Tx

MAX_LANES = 10_000
DEFAULT_QUEUE = "default"
TOPIC = "jobs.lanes"


class Lanes:
    """What is remembered is committed. Only added to, from any thread."""

    def __init__(self) -> None:
        self._by_id: dict[int, Lane] = {}
        self._by_name: dict[tuple[str, str, bool], Lane] = {}
        self._by_wanted: dict[Wanted, list[int]] = {}

    def refresh(self, tx: Tx) -> None:
        """Take in what other hubs, or former processes, have made; for a unit that only reads."""
        for lane in queries.all_of_them(tx):
            self._remember(lane)

    def find(self, id: int) -> Lane:
        return self._by_id[id]

    def known(self, tx: Tx, id: int) -> Lane:
        # One that is made in this very transaction is not remembered yet.
        return self._by_id.get(id) or queries.by_id(tx, id)

    def of(self, wanted: Iterable[Wanted]) -> list[int]:
        return [lane for each in wanted for lane in self._by_wanted.get(each, ())]

    def looked_up(self, tx: Tx, wanted: Iterable[Wanted]) -> list[int]:
        """The same; what another hub made since the last refresh is looked for. It may be uncommitted, and is not remembered."""
        found: list[int] = []
        for each in wanted:
            known = self._by_wanted.get(each)
            if known is None and tx.dialect == "postgresql":
                known = queries.ids_of(tx, each.type, is_resolve=each.is_resolve)
            found += known or ()
        return found

    def of_type(self, type: str) -> list[int]:
        return self.of((Wanted(type, False), Wanted(type, True)))

    def of_queue(self, queue: str) -> list[int]:
        return [lane.id for lane in list(self._by_id.values()) if lane.queue == queue]

    def all(self) -> list[Lane]:
        return list(self._by_id.values())

    def id_of(self, tx: Tx, type: str, queue: str, *, is_resolve: bool = False) -> int:
        """Raises InvalidField: there are too many already."""
        known = self._by_name.get((type, queue, is_resolve))
        if known is not None:
            return known.id
        lane = queries.find(tx, type, queue, is_resolve=is_resolve)
        if lane is None:
            if len(self._by_id) >= MAX_LANES:
                raise InvalidField(
                    "type",
                    N_("there are {limit} types and queues already, which is the limit"),
                    limit=MAX_LANES,
                )
            lane = queries.add(tx, type, queue, is_resolve=is_resolve)
            tx.publish(TOPIC)
        found = lane
        tx.after_commit(lambda: self._remember(found))
        return found.id

    def note_resolver(self, tx: Tx, type: str) -> None:
        """A worker says that it can find out what became of jobs of this type; kept, so that every hub waits for one like it."""
        is_new = Wanted(type, True) not in self._by_wanted and len(self._by_id) < MAX_LANES
        if is_new and self.looked_up(tx, [Wanted(type, False)]):
            self.id_of(tx, type, DEFAULT_QUEUE, is_resolve=True)

    def has_resolver(self, tx: Tx, type: str) -> bool:
        return bool(self.looked_up(tx, [Wanted(type, True)]))

    def resolve_lane(self, tx: Tx, lane_id: int) -> int:
        lane = self.known(tx, lane_id)
        return lane_id if lane.is_resolve else self.id_of(tx, lane.type, lane.queue, is_resolve=True)

    def run_lane(self, tx: Tx, lane_id: int) -> int:
        lane = self.known(tx, lane_id)
        return self.id_of(tx, lane.type, lane.queue) if lane.is_resolve else lane_id

    def _remember(self, lane: Lane) -> None:
        if lane.id in self._by_id:
            return
        self._by_name[lane.type, lane.queue, lane.is_resolve] = lane
        self._by_wanted.setdefault(Wanted(lane.type, lane.is_resolve), []).append(lane.id)
        self._by_id[lane.id] = lane
