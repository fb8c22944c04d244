"""Signals as pages and the API show them."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from atalaia.core.clock import Clock, from_ms, to_ms
from atalaia.core.errors import InvalidField, NotFound
from atalaia.core.redaction import shown_address
from atalaia.core.translations import N_
from atalaia.sdk.transaction import Tx
from atalaia.signals.model.locks import Lock
from atalaia.signals.model.rate import MINUTE_MS, Level, Minute, Rate
from atalaia.signals.model.runs import HourRow, Outcome, Run
from atalaia.signals.model.signals import LastAnswer, SignalOut, SignalRow, read_options
from atalaia.signals.queries import counts, definitions, locks, runs
from atalaia.signals.service.book import found
from atalaia.signals.service.judging import rate
from atalaia.signals.service.tasks import Tasks
from atalaia.store.store import Store
from atalaia.web.cursors import decode_cursor, page_of

MOST_HOURS = 24 * 90


class Durations(msgspec.Struct, frozen=True, kw_only=True):
    """Of the runs that ended; a mean of None: there were none. `outcomes` counts them by outcome, `nothing` among them."""

    runs: int
    mean_ms: float | None
    slowest_ms: int | None
    outcomes: dict[str, int]


class Hour(msgspec.Struct, frozen=True, kw_only=True):
    at: datetime
    durations: Durations


class Rates(msgspec.Struct, frozen=True, kw_only=True):
    """Over `hours`: answers summed up, by the minute (minutes without any are left out), and durations of runs by the hour."""

    hours: int
    rate: Rate
    answers: dict[str, int]
    minutes: list[Minute]
    durations: Durations
    by_hour: list[Hour]


class Reading:
    def __init__(self, store: Store, tasks: Tasks, *, clock: Clock) -> None:
        self._store = store
        self._tasks = tasks
        self._clock = clock

    async def all(self) -> list[SignalOut]:
        """By name; there are never many."""
        return await self._store.read(self._all)

    async def one(self, name: str) -> SignalOut:
        """Raises NotFound."""
        return await self._store.read(lambda tx: self.out(tx, found(tx, name)))

    async def runs(
        self, name: str, *, cursor: str | None, limit: int, outcome: Outcome | None = None
    ) -> tuple[list[Run], str | None]:
        """Newest first, and the cursor of the next page; on the first one the run under way comes before. Raises NotFound."""
        after = decode_cursor(cursor, str)
        before = after[0] if after else None

        def read(tx: Tx) -> tuple[list[Run], list[Run]]:
            row = found(tx, name)
            said = None if outcome is None else str(outcome)
            kept = runs.page(tx, row.name, limit=limit + 1, before=before, outcome=said)
            return kept, _running(tx, row.name) if before is None and outcome is None else []

        kept, running = await self._store.read(read)
        items, following = page_of(kept, limit, lambda run: (run.id,))
        return [*running, *items], following

    async def run(self, name: str, run_id: str) -> Run:
        """Raises NotFound: it is no more, or found nothing to do and was not kept."""

        def read(tx: Tx) -> Run:
            running = [run for run in _running(tx, name) if run.id == run_id]
            kept = running[0] if running else runs.find(tx, run_id)
            if kept is None or kept.signal != name:
                raise NotFound(N_("there is no such run"))
            return kept

        return await self._store.read(read)

    async def rates(self, name: str, *, hours: int = 24) -> Rates:
        """Raises NotFound, InvalidField."""
        if not 1 <= hours <= MOST_HOURS:
            raise InvalidField("hours", N_("must be between 1 and {most}"), most=MOST_HOURS)
        return await self._store.read(lambda tx: self._rates(tx, found(tx, name), hours))

    async def address_of(self, name: str) -> str:
        """That its webhook posts to, whole: for whoever may change it. Raises NotFound."""
        return await self._store.read(lambda tx: read_options(found(tx, name).options).url or "")

    async def search(self, text: str, limit: int) -> list[tuple[str, str]]:
        """Name and task."""
        return await self._store.read(lambda tx: definitions.names_like(tx, text, limit=limit))

    def tasks(self) -> dict[str, str]:
        """Names and titles (English, keys of the translations) of all tasks that there are."""
        return {task.name: task.title for task in sorted(self._tasks.all().values(), key=lambda each: each.name)}

    def out(self, tx: Tx, row: SignalRow) -> SignalOut:
        task, options, now = self._tasks.find(row.task), read_options(row.options), self._clock.now()
        lock, last = locks.look(tx, [row.name])[row.name].lock, counts.last_answer(tx, row.name)
        kept = runs.page(tx, row.name, limit=1)
        return SignalOut(
            name=row.name,
            task=row.task,
            task_title=task.title if task else row.task,
            is_known=task is not None,
            min_interval_s=row.min_interval_ms / 1000,
            expect_every_s=row.expect_every_s,
            cron=row.cron,
            timezone=row.timezone,
            runs_missed=row.runs_missed,
            is_paused=row.is_paused,
            job=options.job,
            url=shown_address(options.url) if options.url else None,
            command=options.command,
            next_at=None if row.is_paused else row.next_at,
            last_slot_at=row.last_slot_at,
            created_at=row.created_at,
            updated_at=row.updated_at,
            level=counts.levels_of_all(tx).get(row.name, Level.UNKNOWN),
            rate=rate(tx, row, now=now),
            failures=lock.failures,
            last_answer=LastAnswer(last[0], from_ms(last[1])) if last else None,
            last_started_at=from_ms(lock.started_ms) if lock.started_ms else None,
            running=_run_of(row.name, lock),
            last_run=kept[0] if kept else None,
        )

    def _all(self, tx: Tx) -> list[SignalOut]:
        return [self.out(tx, row) for row in definitions.all_of_them(tx)]

    def _rates(self, tx: Tx, row: SignalRow, hours: int) -> Rates:
        now = self._clock.now()
        since_ms = to_ms(now - timedelta(hours=hours))
        minutes = counts.since(tx, row.name, since_ms=since_ms)
        ended = runs.by_hour(tx, row.name, since_ms=since_ms)
        by_hour = {hour: [each for each in ended if each.hour == hour] for hour in dict.fromkeys(e.hour for e in ended)}
        return Rates(
            hours=hours,
            rate=rate(tx, row, now=now),
            answers={name: sum(getattr(each, name) for each in minutes) for name in counts.ANSWERS},
            minutes=minutes,
            durations=_durations(ended),
            by_hour=[
                Hour(at=from_ms(hour * runs.HOUR_MS), durations=_durations(some)) for hour, some in by_hour.items()
            ],
        )


def minute_at(minute: Minute) -> datetime:
    return from_ms(minute.minute * MINUTE_MS)


def _durations(rows: Sequence[HourRow]) -> Durations:
    count = sum(row.runs for row in rows)
    outcomes: dict[str, int] = {}
    for row in rows:
        outcomes[row.outcome] = outcomes.get(row.outcome, 0) + row.runs
    return Durations(
        runs=count,
        mean_ms=sum(row.total_ms for row in rows) / count if count else None,
        slowest_ms=max((row.slowest_ms for row in rows), default=None),
        outcomes=outcomes,
    )


def _running(tx: Tx, name: str) -> list[Run]:
    known = locks.look(tx, [name]).get(name)
    run = _run_of(name, known.lock) if known else None
    return [run] if run else []


def _run_of(name: str, lock: Lock) -> Run | None:
    if lock.run_id is None:
        return None
    return Run(
        id=lock.run_id, signal=name, fence=lock.fence, source=lock.source or "", started_at=from_ms(lock.started_ms)
    )
