"""Batches of observations to states: read what stands, decide, write what changed. A plain part of a unit of work.

1. The rows of all checks of the batch are read, and held on PostgreSQL, in one order.
2. Each observation is decided upon in the order it came, by `model.deciding`.
3. The rows that changed are written with one statement for all.
4. Changes of state become spans, events, incidents and messages, in the same transaction.
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from atalaia.core.clock import from_ms
from atalaia.sdk.transaction import Tx
from atalaia.watch.model.checks import CheckKind
from atalaia.watch.model.deciding import decide, reason_of
from atalaia.watch.model.observations import Beat, Observation, Rejudged, Result, Tick
from atalaia.watch.model.standing import AHEAD_MS, Transition, deadline_ms
from atalaia.watch.model.values import Watched
from atalaia.watch.queries import checks, history, states
from atalaia.watch.queries.states import StateRow
from atalaia.watch.service.incidents import Incidents

TOPIC = "checks"
KNOWN_MAX = 50_000


class Seen(msgspec.Struct, frozen=True):
    """An observation of a check. `measured_at_ms` is by the agent's own clock, where that differs."""

    check_id: str
    what: Observation
    measured_at_ms: int | None = None


class Decider:
    """Remembers what it needs to know of each check, for as long as the check's revision is the same."""

    def __init__(self, incidents: Incidents) -> None:
        self._incidents = incidents
        self._known: dict[str, Watched] = {}

    def take(self, tx: Tx, seen: Sequence[Seen], *, now_ms: int) -> dict[str, StateRow]:
        """Decide on all; the rows as they are now. What is about a check that is not there is passed over."""
        rows = states.lock(tx, (one.check_id for one in seen))
        self.take_locked(tx, rows, self.watched(tx, rows.values()), seen, now_ms=now_ms)
        return rows

    def take_locked(
        self, tx: Tx, rows: Mapping[str, StateRow], watched: Mapping[str, Watched], seen: Sequence[Seen], *, now_ms: int
    ) -> None:
        """The same for rows that were locked before."""
        changes: list[tuple[Watched, Transition]] = []
        for one in seen:
            row = rows.get(one.check_id)
            if row is not None and one.check_id in watched:
                check = watched[one.check_id]
                changes += [(check, change) for change in _decide_one(row, check, one, now_ms)]
        states.write(tx, rows.values())
        if changes:
            self._follow(tx, changes)

    def refresh(self, tx: Tx, check_id: str, *, now_ms: int) -> None:
        """The check's own rules have changed: its deadline with them, and perhaps its state."""
        for row in states.lock(tx, [check_id]).values():
            row.is_changed = True
            check = self.watched(tx, [row])[check_id]
            changes = [
                (check, change) for change in _decide_one(row, check, Seen(check_id, Rejudged(at_ms=now_ms)), now_ms)
            ]
            states.write(tx, [row])
            self._follow(tx, changes)

    def tick(self, tx: Tx, *, now_ms: int) -> int:
        """Heartbeats whose deadline has come are down; how many there were."""
        due = states.due(tx, now_ms)
        if due:
            self.take(tx, [Seen(check_id, Tick(at_ms=now_ms)) for check_id in due], now_ms=now_ms)
        return len(due)

    def watched(self, tx: Tx, rows: Iterable[StateRow]) -> dict[str, Watched]:
        rows = list(rows)
        found = {row.check_id: known for row in rows if (known := self._known.get(row.check_id)) is not None}
        stale = [
            row.check_id for row in rows if row.check_id not in found or found[row.check_id].revision != row.revision
        ]
        for check in checks.find_many(tx, stale) if stale else ():
            found[check.id] = check.watched
            tx.after_commit(lambda watched=check.watched: self._remember(watched))  # type: ignore[misc] # bound early
        return found

    def _remember(self, check: Watched) -> None:
        if len(self._known) >= KNOWN_MAX:
            self._known.clear()
        self._known[check.id] = check

    def _follow(self, tx: Tx, changes: Sequence[tuple[Watched, Transition]]) -> None:
        states.write_spans(tx, [(check.id, change.at_ms, change.after) for check, change in changes])
        history.add_events(tx, [(check.id, from_ms(change.at_ms), "state", _told(change)) for check, change in changes])
        for check, change in changes:
            self._incidents.follow(tx, check, change)
            tx.publish(TOPIC, check.id)


def _told(change: Transition) -> dict[str, str | None]:
    return {"before": str(change.before), "after": str(change.after), "reason": change.reason}


def _decide_one(row: StateRow, check: Watched, seen: Seen, now_ms: int) -> tuple[Transition, ...]:
    decision = decide(row.standing, seen.what, check.policy, now_ms)
    if isinstance(seen.what, Result):
        _note_result(row, seen.what, check, measured_at_ms=seen.measured_at_ms or seen.what.at_ms, now_ms=now_ms)
    elif isinstance(seen.what, Beat):
        row.note_beats(decision.standing, check.policy, [min(seen.what.at_ms, now_ms)])
    elif decision.standing is not row.standing:
        row.is_changed = True
    if decision.transitions and not isinstance(seen.what, Result):
        row.last_error = decision.transitions[-1].reason
    row.standing = decision.standing
    if check.kind is CheckKind.HEARTBEAT:
        row.deadline_ms = deadline_ms(row.standing, check.policy)
    return decision.transitions


def _note_result(row: StateRow, result: Result, check: Watched, *, measured_at_ms: int, now_ms: int) -> None:
    """What the list shows of the newest result; an older one only counts, unless a wrong clock made the last one the newest."""
    row.results += 1
    row.is_changed = True
    last_ms = row.last_at_ms
    if last_ms is None or measured_at_ms >= last_ms or last_ms > now_ms + AHEAD_MS:
        row.last_at_ms = measured_at_ms
        row.last_ms = result.took_ms
        row.last_error = reason_of(result, check.policy)
