"""Pings of heartbeats: many to a commit, each decided upon in its order, answered after the commit."""

from collections.abc import Collection, Sequence
from datetime import datetime

import msgspec
import structlog
from msgspec.structs import replace

from atalaia.core.clock import Clock, from_ms, to_ms
from atalaia.core.ids import new_id
from atalaia.sdk.transaction import Tx
from atalaia.store.store import Store
from atalaia.store.work import Merged
from atalaia.watch.model.deciding import still_well
from atalaia.watch.model.observations import Beat, BeatKind
from atalaia.watch.model.standing import AHEAD_MS, deadline_ms
from atalaia.watch.model.values import Ping, Watched
from atalaia.watch.ports import Sample, WriteSamples
from atalaia.watch.queries import checks, history, states
from atalaia.watch.queries.states import StateRow
from atalaia.watch.service.deciding import TOPIC, Decider, Seen

SECOND_MS = 1000
PINGS_KEPT = 100  # of each check, of those that say something
KNOWN_MAX = 100_000

log = structlog.get_logger()


class HeartbeatPing(msgspec.Struct, frozen=True):
    """A ping as it came. What only says "well" leaves no row: it is counted."""

    check_id: str
    at_ms: int
    kind: BeatKind
    run: str = ""
    exit_status: int | None = None
    source: str = ""
    user_agent: str = ""
    body: bytes = b""

    @property
    def is_plain(self) -> bool:
        return self.kind is BeatKind.SUCCESS and not self.run and not self.body and self.exit_status is None

    @property
    def beat(self) -> Beat:
        return Beat(at_ms=self.at_ms, kind=self.kind, run=self.run, reason=self._reason())

    def _reason(self) -> str | None:
        if self.kind is not BeatKind.FAIL:
            return None
        first_line = self.body[:200].decode("utf-8", "replace").partition("\n")[0]
        # A job's output may hold anything; NUL no database keeps.
        first_line = "".join(char if char.isprintable() else " " for char in first_line).strip()
        said = f"exit status {self.exit_status}" if self.exit_status else "fail"
        return f"{said}: {first_line}" if first_line else said


class Heartbeats:
    """Which address is which check is remembered; a check that is gone says so in the unit of work."""

    def __init__(self, store: Store, decider: Decider, *, write_samples: WriteSamples, clock: Clock) -> None:
        self._store = store
        self._decider = decider
        self._write_samples = write_samples
        self._clock = clock
        self._check_ids: dict[str, str] = {}
        self._merged: Merged[HeartbeatPing, bool] = Merged("heartbeats", self._run)

    async def check_of(self, ping_id: str) -> str | None:
        """The check whose address this is."""
        check_id = self._check_ids.get(ping_id)
        if check_id is None:
            check = await self._store.read(lambda tx: checks.find_by_ping_id(tx, ping_id))
            if check is None:
                return None
            if len(self._check_ids) >= KNOWN_MAX:
                self._check_ids.clear()
            check_id = self._check_ids[ping_id] = check.id
        return check_id

    async def take(self, ping: HeartbeatPing) -> bool:
        """Comes back after the commit; False: there is no such check any more. Raises as Store.merge."""
        return await self._store.merge(self._merged, ping)

    def now_ms(self) -> int:
        return to_ms(self._clock.now())

    async def tick(self) -> float | None:
        """Those whose deadline has come are down; seconds to the next deadline, None without one."""
        now_ms = self.now_ms()
        due, ahead = await self._store.read(
            lambda tx: (bool(states.due(tx, now_ms)), bool(states.ahead(tx, now_ms + AHEAD_MS)))
        )
        if ahead:
            count = await self._store.write(lambda tx: self._set_back(tx, now_ms))
            log.warning("heartbeats_set_back", count=count)
        if due:
            await self._store.write(lambda tx: self._decider.tick(tx, now_ms=now_ms))
        following_ms = await self._store.read(states.next_deadline_ms)
        return None if following_ms is None else max(0.0, (from_ms(following_ms) - self._clock.now()).total_seconds())

    async def forgive(self) -> None:
        """What came due while no ping could be taken gets its grace anew, from now: nobody knows whether it reported in."""
        now_ms = self.now_ms()
        if await self._store.read(lambda tx: bool(states.due(tx, now_ms))):
            count = await self._store.write(lambda tx: self._put_off(tx, now_ms))
            log.warning("heartbeats_put_off", count=count)

    def _put_off(self, tx: Tx, now_ms: int) -> int:
        rows = states.lock(tx, states.due(tx, now_ms))
        watched = self._decider.watched(tx, rows.values())
        for row in rows.values():
            policy = watched[row.check_id].policy
            row.standing = replace(row.standing, last_ms=now_ms - policy.period_ms, starts_ms={})
            row.deadline_ms = deadline_ms(row.standing, policy)
            row.is_changed = True
        states.write(tx, rows.values())
        return len(rows)

    def _set_back(self, tx: Tx, now_ms: int) -> int:
        """The clock was set back: what was heard later than now is awaited from now on, and not from then."""
        rows = states.lock(tx, states.ahead(tx, now_ms + AHEAD_MS))
        watched = self._decider.watched(tx, rows.values())
        for row in rows.values():
            last_ms, starts = row.standing.last_ms, row.standing.starts_ms
            row.standing = replace(
                row.standing,
                last_ms=None if last_ms is None else min(last_ms, now_ms),
                starts_ms={run: min(began_ms, now_ms) for run, began_ms in starts.items()},
            )
            row.last_at_ms = now_ms
            row.deadline_ms = deadline_ms(row.standing, watched[row.check_id].policy)
            row.is_changed = True
        states.write(tx, rows.values())
        return len(rows)

    def _run(self, tx: Tx, pings: Sequence[HeartbeatPing]) -> list[bool]:
        rows = states.lock(tx, {ping.check_id for ping in pings})
        watched = self._decider.watched(tx, rows.values())
        well = _take_well(pings, rows, watched)
        seen = [Seen(ping.check_id, ping.beat) for ping in pings if ping.check_id not in well]
        now_ms = max((ping.at_ms for ping in pings), default=0)
        self._decider.take_locked(tx, rows, watched, seen, now_ms=now_ms)
        if seen:
            told = [ping for ping in pings if not ping.is_plain and ping.check_id in rows]
            if told:
                _keep(tx, told)
            self._write_samples(tx, _durations(rows, watched))
        return [ping.check_id in rows for ping in pings]


def _take_well(
    pings: Sequence[HeartbeatPing], rows: dict[str, StateRow], watched: dict[str, Watched]
) -> Collection[str]:
    """Take what only says "well" to checks that are up, which is nearly all; the checks that are done with it."""
    by_check: dict[str, list[HeartbeatPing]] = {}
    for ping in pings:
        by_check.setdefault(ping.check_id, []).append(ping)
    done = set()
    for check_id, row in rows.items():
        beats = by_check[check_id]
        beats_ms = [ping.at_ms for ping in beats]
        if row.deadline_ms is None or max(beats_ms) >= row.deadline_ms or not all(ping.is_plain for ping in beats):
            continue
        standing = still_well(row.standing, beats_ms)
        if standing is not None:
            row.note_beats(standing, watched[check_id].policy, beats_ms)
            done.add(check_id)
    return done


def _keep(tx: Tx, pings: Sequence[HeartbeatPing]) -> None:
    history.add_pings(tx, [_row(ping, from_ms(ping.at_ms)) for ping in pings])
    history.prune_pings(tx, {ping.check_id for ping in pings}, keep=PINGS_KEPT)
    for check_id in {ping.check_id for ping in pings}:
        tx.publish(TOPIC, check_id)


def _row(ping: HeartbeatPing, at: datetime) -> Ping:
    return Ping(
        id=new_id(),
        check_id=ping.check_id,
        at=at,
        kind=str(ping.kind),
        exit_status=ping.exit_status,
        run=ping.run or None,
        source=ping.source or None,
        user_agent=ping.user_agent or None,
        body=ping.body or None,
    )


def _durations(rows: dict[str, StateRow], watched: dict[str, Watched]) -> list[Sample]:
    """How long the runs took that ended last in this batch."""
    return [
        (
            "heartbeat_run_seconds",
            {"check": row.check_id, "check_name": watched[row.check_id].name},
            row.last_at_ms,
            row.standing.took_ms / SECOND_MS,
        )
        for row in rows.values()
        if row.standing.took_ms is not None and row.last_at_ms is not None
    ]
