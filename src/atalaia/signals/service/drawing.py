"""What charts and lists show of signals: answers by slots of time, and how long runs took."""

from typing import Final, NamedTuple

import msgspec

from atalaia.core.clock import Clock, to_ms
from atalaia.sdk.transaction import Tx
from atalaia.signals.model.answers import ANSWERED, Answer
from atalaia.signals.model.rate import MINUTE_MS
from atalaia.signals.model.runs import Outcome
from atalaia.signals.queries import counts
from atalaia.signals.queries import drawing as queries
from atalaia.signals.queries.runs import HOUR_MS
from atalaia.signals.service.book import found
from atalaia.store.store import Store

LINES: Final = ("started", "skipped", "throttled", "unanswered", "ratio", "mean", "slowest")
MOST_SLOTS: Final = 2_000
_OF_RUNS: Final = frozenset({"mean", "slowest"})
_RECENT_MINUTES: Final = 5
_HOUR_MINUTES: Final = 60
_DAY_HOURS: Final = 24


class Line(NamedTuple):
    """Instants in ms, and a value for each; None: there is none."""

    times: list[int]
    values: list[float | None]


class Lately(msgspec.Struct, frozen=True):
    """Of one signal. `per_minute` over the last five whole minutes; the counts and the runs over the last hour.

    `mean_ms` of None: no run ended.
    """

    per_minute: float
    answers: dict[str, int]
    runs: int
    mean_ms: float | None
    slowest_ms: int | None


NOTHING: Final = Lately(0.0, dict.fromkeys(counts.ANSWERS, 0), 0, None, None)


class Drawing:
    def __init__(self, store: Store, *, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def line(self, name: str, of: str, *, from_ms: int, until_ms: int, step_s: int) -> Line:
        """`of` is one of LINES: signals a minute by answer, the share that was answered, or how long runs took (ms).

        Raises: NotFound.
        """
        draw = _runs if of in _OF_RUNS else _answers
        now_ms = to_ms(self._clock.now())
        return await self._store.read(lambda tx: draw(tx, name, of, _Reach(from_ms, min(until_ms, now_ms), step_s)))

    async def lately(self) -> dict[str, Lately]:
        """By name; whoever was not heard of is left out."""
        return await self._store.read(self._lately)

    async def found_nothing(self, name: str) -> int:
        """How many runs of the last 24 hours had nothing to do: those are kept nowhere else."""
        first = to_ms(self._clock.now()) // HOUR_MS - _DAY_HOURS
        return await self._store.read(lambda tx: queries.ended_with(tx, name, Outcome.NOTHING, first=first))

    async def refused_places(self, name: str) -> list[tuple[str, int]]:
        """From where, and how often."""
        return await self._store.read(lambda tx: queries.refused_places(tx, name))

    def _lately(self, tx: Tx) -> dict[str, Lately]:
        now_ms = to_ms(self._clock.now())
        end = now_ms // MINUTE_MS
        recent = queries.answers_of_all(tx, first=end - _RECENT_MINUTES, end=end)
        hour = queries.answers_of_all(tx, first=end - _HOUR_MINUTES, end=end + 1)
        ended = queries.ended_of_all(tx, first=now_ms // HOUR_MS - 1)
        return {name: _lately_of(name, recent, hour, ended) for name in {*hour, *ended}}


class _Reach(NamedTuple):
    from_ms: int
    to_ms: int
    step_s: int

    def slots(self, unit_ms: int) -> int:
        """How many units a slot is long."""
        most = max(self.step_s * 1000, (self.to_ms - self.from_ms) / MOST_SLOTS)
        return max(1, -int(-most // unit_ms))


def _answers(tx: Tx, name: str, of: str, reach: _Reach) -> Line:
    row = found(tx, name)
    each = reach.slots(MINUTE_MS)
    first_ever = counts.first_minute(tx, name)
    if first_ever is None:
        return Line([], [])
    # The minute that goes on would look as if signals had ceased.
    first, end = max(reach.from_ms // MINUTE_MS, first_ever), reach.to_ms // MINUTE_MS
    known = queries.answers_by_slot(tx, name, first=first, end=end, minutes_each=each)
    line = Line([], [])
    for slot in range(first // each, -(-end // each)):
        length = min(end, (slot + 1) * each) - max(first, slot * each)
        if length <= 0:
            continue
        line.times.append(slot * each * MINUTE_MS)
        line.values.append(_value(known.get(slot, {}), of, minutes=length, every_s=row.expect_every_s))
    return line


def _value(answers: dict[str, int], of: str, *, minutes: int, every_s: float | None) -> float | None:
    answered = sum(answers.get(str(each), 0) for each in ANSWERED)
    unanswered = sum(answers.get(str(each), 0) for each in (Answer.REFUSED, Answer.INVALID, Answer.FAILED))
    if of == "unanswered":
        return round(unanswered / minutes, 3)
    if of != "ratio":
        return round(answers.get(of, 0) / minutes, 3)
    expected = minutes * 60 / every_s if every_s is not None else answered + unanswered
    return round(min(1.0, answered / expected), 4) if expected >= 1 else None


def _runs(tx: Tx, name: str, of: str, reach: _Reach) -> Line:
    each = reach.slots(HOUR_MS)
    first, end = reach.from_ms // HOUR_MS, -(-reach.to_ms // HOUR_MS)
    known = queries.ended_by_slot(tx, found(tx, name).name, first=first, end=end, hours_each=each)
    line = Line([], [])
    for slot, ended in sorted(known.items()):
        line.times.append(max(slot * each * HOUR_MS, reach.from_ms))
        line.values.append(float(ended.slowest_ms) if of == "slowest" else round(ended.total_ms / ended.runs, 1))
    return line


def _lately_of(
    name: str,
    recent: dict[str, dict[str, int]],
    hour: dict[str, dict[str, int]],
    ended: dict[str, queries.Ended],
) -> Lately:
    runs = ended.get(name)
    return Lately(
        per_minute=sum(recent.get(name, {}).values()) / _RECENT_MINUTES,
        answers=hour.get(name, NOTHING.answers),
        runs=runs.runs if runs else 0,
        mean_ms=runs.total_ms / runs.runs if runs and runs.runs else None,
        slowest_ms=runs.slowest_ms if runs else None,
    )
