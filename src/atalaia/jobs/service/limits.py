"""How many of a queue or a type may be leased at once, and how many in a span of time."""

from collections.abc import Sequence

from atalaia.jobs.queries import leasing as lease_queries
from atalaia.jobs.queries import limits as queries
from atalaia.jobs.queries.leasing import Candidate
from atalaia.jobs.queries.limits import LimitRow
from atalaia.jobs.service.lanes import Lanes
from atalaia.sdk.transaction import Tx

TOPIC = "jobs.limits"
_NO_LIMIT = 2**31


class Limits:
    """Which limits there are is remembered, and read anew when it changes or once a second while somebody waits."""

    def __init__(self, lanes: Lanes) -> None:
        self._lanes = lanes
        self.has_any = False

    def refresh(self, tx: Tx) -> None:
        self.has_any = bool(queries.all_of_them(tx))

    def budget(self, tx: Tx, lanes: Sequence[int], *, now_ms: int) -> "Budget":
        """Other hubs wait until this transaction has ended."""
        limits = [_Limit(row, self._lanes_of(row), now_ms) for row in queries.locked(tx)]
        mine = [limit for limit in limits if not limit.lanes.isdisjoint(lanes)]
        held = lease_queries.leased_by_lane(tx, sorted({lane for limit in mine for lane in limit.lanes}))
        for limit in mine:
            limit.count(sum(held.get(lane, 0) for lane in limit.lanes))
        return Budget(mine)

    def _lanes_of(self, row: LimitRow) -> frozenset[int]:
        of = self._lanes.of_queue if row.scope == "queue" else self._lanes.of_type
        return frozenset(of(row.name))


class _Limit:
    def __init__(self, row: LimitRow, lanes: frozenset[int], now_ms: int) -> None:
        self.row = row
        self.lanes = lanes
        is_over = now_ms - row.window_ms >= row.period_s * 1000 or now_ms < row.window_ms
        self.window_ms = now_ms if is_over else row.window_ms
        self.used = 0 if is_over else row.used
        self.left = _NO_LIMIT

    def count(self, held: int) -> None:
        if self.row.max_leased is not None:
            self.left = self.row.max_leased - held
        if self.row.rate is not None:
            self.left = min(self.left, self.row.rate - self.used)

    def take(self) -> None:
        self.left -= 1
        self.used += 1


class Budget:
    """What may still be leased in this transaction."""

    def __init__(self, limits: Sequence[_Limit]) -> None:
        self._limits = limits

    def left(self, lane: int) -> int:
        return min((limit.left for limit in self._limits if lane in limit.lanes), default=_NO_LIMIT)

    def take(self, lane: int) -> bool:
        """One of this lane, if there is room in all its limits."""
        if self.left(lane) <= 0:
            return False
        for limit in self._limits:
            if lane in limit.lanes:
                limit.take()
        return True

    def keep(self, tx: Tx, taken: Sequence[Candidate]) -> None:
        if taken:
            rows = [(limit.window_ms, limit.used, limit.row.scope, limit.row.name) for limit in self._limits]
            queries.keep_use(tx, [row for limit, row in zip(self._limits, rows, strict=True) if limit.row.rate])
