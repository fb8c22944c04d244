"""Leases that lapse. The server's clock alone decides, and never against a worker that renewed in time.

1. A round looks at what is held: who did not renew within its time to live loses it, who took longer than the type allows too.
2. Whoever reads a clock must mind it: at the start, when another hub led before, after a pause, or when the wall clock was
   set, every lease gets one time to live of grace, since its renewals may not have been heard.
3. A wall clock that was set back would make leases last: those are cut to one time to live from now. One that was set
   forward is no time that a job took: what is left of each attempt stays.
"""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from atalaia.core.clock import Clock, to_ms
from atalaia.jobs.model.machine import Word
from atalaia.jobs.model.states import HELD
from atalaia.jobs.queries import holding as queries
from atalaia.jobs.queries.holding import Queued
from atalaia.jobs.service.effects import Effects, Listeners
from atalaia.jobs.service.transitions import Said, Transitions
from atalaia.sdk.transaction import Tx
from atalaia.store.store import Store

PAUSE_S = 4.0
TICK_S = 1.0
CLOCK_SLACK_S = 1.0
STEP_ROWS = 500
UNRESOLVED_EVERY = 5
# Looking from the beginning takes long where PostgreSQL keeps what has ended for some old transaction: then it is done less
# often, and in between from the first that was held when it was looked last.
REST_TIMES = 20


class _Round(NamedTuple):
    at_s: float  # monotonic
    now_ms: int


class Reaper:
    """Run by one hub at a time, each second."""

    def __init__(self, store: Store, transitions: Transitions, listeners: Listeners, *, clock: Clock) -> None:
        self._store = store
        self._transitions = transitions
        self._listeners = listeners
        self._clock = clock
        self._last: _Round | None = None
        self._resumed_at_s = 0.0
        self._rounds = 0
        self._first: int | None = None  # of those held, when it was looked last
        self._whole_at_s = 0.0
        self._awake_at_s = clock.monotonic()

    async def round(self) -> None:
        now = _Round(self._clock.monotonic(), to_ms(self._clock.now()))
        drift_s = self._drift_s(now)
        if self._must_wait(now, drift_s):
            self._resumed_at_s = now.at_s
        if drift_s > CLOCK_SLACK_S:
            await self._store.write(partial(queries.put_off_deadlines, by_ms=round(drift_s * 1000)))
        self._last = now
        self._tick()
        is_whole = now.at_s >= self._whole_at_s
        start = 0 if is_whole else self._first
        if start is not None:
            await self._reap(now, grace_ms=round((now.at_s - self._resumed_at_s) * 1000), start=start)
        if is_whole:
            self._whole_at_s = now.at_s + REST_TIMES * (self._clock.monotonic() - now.at_s)
        self._rounds += 1
        if self._rounds % UNRESOLVED_EVERY == 1:
            await self._give_up(now)

    def _must_wait(self, now: _Round, drift_s: float) -> bool:
        return self._last is None or now.at_s - self._awake_at_s > PAUSE_S or abs(drift_s) > CLOCK_SLACK_S

    def _tick(self) -> None:
        """It is awake, and hears renewals; a look that takes long is no pause."""
        at_s = self._clock.monotonic()
        if at_s - self._awake_at_s > PAUSE_S:
            self._resumed_at_s = at_s
        self._awake_at_s = at_s

    async def _held_after(self, seq: int) -> list[tuple[int, int, int, int]]:
        reading = asyncio.ensure_future(self._store.read(partial(queries.held_after, seq=seq, limit=STEP_ROWS)))
        try:
            while not reading.done():
                await asyncio.wait({reading}, timeout=TICK_S)
                self._tick()
        finally:
            reading.cancel()
        return reading.result()

    def _drift_s(self, now: _Round) -> float:
        """By how much the wall clock went another way than time since the last round."""
        if self._last is None:
            return 0.0
        return (now.now_ms - self._last.now_ms) / 1000 - (now.at_s - self._last.at_s)

    async def _reap(self, now: _Round, *, grace_ms: int, start: int) -> None:
        after, is_more = start - 1, True
        self._first = None
        while is_more:
            held = await self._held_after(after)
            is_more = len(held) == STEP_ROWS
            if held:
                self._first = held[0][0] if self._first is None else self._first
                after = held[-1][0]
            lapsed = [row[0] for row in held if _is_over(row, now.now_ms) and row[2] <= grace_ms]
            long = [(now.now_ms + ttl_ms, seq) for seq, until, ttl_ms, _ in held if until > now.now_ms + ttl_ms]
            if lapsed or long:
                await self._store.write(partial(self._take, seqs=lapsed, too_long=long))

    def _take(self, tx: Tx, seqs: Sequence[int], too_long: Sequence[tuple[int, int]]) -> None:
        effects = Effects(tx, self._listeners, now_ms=to_ms(self._clock.now()))
        queries.shorten(tx, too_long)
        rows = queries.queued(tx, seqs).values() if seqs else ()
        # Looked at again, now that nobody else can change it.
        moves = [(row, Said(_word(row, effects.now_ms))) for row in rows if row.place == HELD and _lapsed(row, effects)]
        self._transitions.move(tx, effects, moves)
        effects.settle()

    async def _give_up(self, now: _Round) -> None:
        """What nobody came to resolve ends as unknown."""
        seqs = await self._store.read(lambda tx: queries.unresolved(tx, now_ms=now.now_ms, limit=STEP_ROWS))
        if seqs:
            await self._store.write(lambda tx: self._end_unresolved(tx, seqs))

    def _end_unresolved(self, tx: Tx, seqs: Sequence[int]) -> None:
        effects = Effects(tx, self._listeners, now_ms=to_ms(self._clock.now()))
        rows = queries.queued(tx, seqs).values()
        moves = [
            (row, Said(Word.UNRESOLVED))
            for row in rows
            if row.place != HELD and row.is_resolve and row.deadline_at <= effects.now_ms
        ]
        self._transitions.move(tx, effects, moves)
        effects.settle()


def _is_over(row: tuple[int, int, int, int], now_ms: int) -> bool:
    _, until_ms, ttl_ms, deadline_ms = row
    return until_ms <= now_ms or deadline_ms + ttl_ms <= now_ms


def _lapsed(row: Queued, effects: Effects) -> bool:
    return _is_over((row.seq, row.leased_until, row.ttl_ms, row.deadline_at), effects.now_ms)


def _word(row: Queued, now_ms: int) -> Word:
    return Word.OVERRAN if row.deadline_at + row.ttl_ms <= now_ms else Word.LAPSED
