"""Whether signals are answered, and who is refused again and again: looked at by the leader, told when it changes."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from atalaia.core.clock import Clock, to_ms
from atalaia.sdk.transaction import Tx
from atalaia.signals.events import (
    SignalAnswered,
    SignalRefused,
    SignalRefusedNoMore,
    SignalRunsWell,
    SignalUnanswered,
)
from atalaia.signals.model.rate import MINUTE_MS, Level, Rate, next_level, rate_of, window_minutes
from atalaia.signals.model.signals import SignalRow
from atalaia.signals.queries import counts, definitions
from atalaia.signals.queries.counts import Refusal
from atalaia.signals.service.counting import TOPIC
from atalaia.store.store import Store

REFUSALS_TO_TELL: Final = 5
# A place that has not been refused for so long has a right key by now, or has gone.
QUIET_MS: Final = 600_000


class Judging:
    def __init__(self, store: Store, *, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._levels: dict[str, Level] = {}

    def is_well(self) -> bool:
        """No signal was failing when they were last looked at."""
        return Level.FAILING not in self._levels.values()

    async def judge(self) -> None:
        """The leader's loop. Nothing is written where nothing has changed."""
        now = self._clock.now()
        changes = await self._store.read(lambda tx: self._changes(tx, now))
        if changes:
            await self._store.write(lambda tx: [change(tx) for change in self._changes(tx, now)])

    async def look(self) -> None:
        """Each hub's own, for /health."""
        self._levels = await self._store.read(counts.levels_of_all)

    def _changes(self, tx: Tx, now: datetime) -> list[Callable[[Tx], None]]:
        rows = {row.name: row for row in definitions.all_of_them(tx)}
        return [
            *_rates(tx, rows, now=now),
            *_refusals(tx, rows, now_ms=to_ms(now)),
            *_orphans(tx, rows),
        ]


def rate(tx: Tx, row: SignalRow, *, now: datetime) -> Rate:
    now_ms = to_ms(now)
    first = counts.first_minute(tx, row.name)
    # Nothing is expected before the first signal: whoever sends may be set up later.
    since_ms = now_ms if first is None else max(to_ms(row.resumed_at), first * MINUTE_MS)
    minutes = counts.since(tx, row.name, since_ms=now_ms - (window_minutes(row.expect_every_s) + 1) * MINUTE_MS)
    return rate_of(minutes, now_ms=now_ms, since_ms=since_ms, expect_every_s=row.expect_every_s)


def _rates(tx: Tx, rows: dict[str, SignalRow], *, now: datetime) -> list[Callable[[Tx], None]]:
    levels = counts.levels_of_all(tx)
    found = []
    for row in rows.values():
        former = levels.get(row.name, Level.UNKNOWN)
        current = rate(tx, row, now=now)
        level = Level.UNKNOWN if row.is_paused else next_level(former, current)
        if level is not former:
            found.append(_level_change(row.name, former, level, current, now=now))
    return found


def _level_change(name: str, former: Level, level: Level, rate: Rate, *, now: datetime) -> Callable[[Tx], None]:
    def change(tx: Tx) -> None:
        counts.put_level(tx, name, level, at=now)
        if level is Level.FAILING:
            tx.emit(SignalUnanswered(signal=name, answered=rate.answered, expected=rate.expected))
        elif former is Level.FAILING:
            tx.emit(SignalAnswered(signal=name))
        tx.publish(TOPIC, name)

    return change


def _refusals(tx: Tx, rows: dict[str, SignalRow], *, now_ms: int) -> list[Callable[[Tx], None]]:
    found = []
    for refusal in counts.refused(tx):
        if refusal.last_at < now_ms - QUIET_MS or refusal.signal not in rows:
            found.append(_over(refusal))
        elif refusal.times >= REFUSALS_TO_TELL and not refusal.is_told:
            found.append(_told(refusal))
    return found


def _told(refusal: Refusal) -> Callable[[Tx], None]:
    def change(tx: Tx) -> None:
        counts.told(tx, refusal)
        tx.emit(SignalRefused(signal=refusal.signal, place=refusal.place, times=refusal.times))

    return change


def _over(refusal: Refusal) -> Callable[[Tx], None]:
    def change(tx: Tx) -> None:
        counts.forget(tx, refusal)
        if refusal.is_told:
            tx.emit(SignalRefusedNoMore(signal=refusal.signal, place=refusal.place))

    return change


def _orphans(tx: Tx, rows: dict[str, SignalRow]) -> list[Callable[[Tx], None]]:
    """What a dropped signal had open ends with it, also where it was dropped by the command, which tells nobody."""
    gone = [name for name in counts.levels_of_all(tx) if name not in rows]
    gone += [name for name in definitions.failing_locks(tx) if name not in rows]
    return [_gone(name) for name in dict.fromkeys(gone)]


def _gone(name: str) -> Callable[[Tx], None]:
    def change(tx: Tx) -> None:
        counts.drop_level(tx, name)
        definitions.forget_failures(tx, name)
        tx.emit(SignalAnswered(signal=name))
        tx.emit(SignalRunsWell(signal=name))

    return change
