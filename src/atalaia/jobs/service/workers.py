"""Workers as the hub sees them: who they are, when they were last heard, and what they are told to do.

When they were seen is kept in memory and written once an interval; a drain holds for one incarnation.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec
from packaging.version import InvalidVersion, Version

from atalaia.access.audit import record
from atalaia.core.clock import Clock
from atalaia.core.errors import NotFound
from atalaia.core.settings import Settings
from atalaia.core.translations import N_
from atalaia.jobs.queries import reading as reading_queries
from atalaia.jobs.queries import workers as queries
from atalaia.jobs.queries.workers import WorkerRow
from atalaia.jobs.service.control import Actor
from atalaia.sdk.transaction import Tx
from atalaia.store.store import Store

RUN, DRAIN, STOP = "run", "drain", "stop"
TOPIC = "jobs.workers"
SILENT_S = 60.0
FORGOTTEN_DAYS = 30
MAX_WORKERS = 10_000


class WorkerOut(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    id: str
    incarnation: str
    version: str
    commit: str
    types: Sequence[str]
    address: str
    first_seen_at: datetime
    seen_at: datetime
    running: int
    state: str  # working, idle, draining, stale, silent
    is_stale: bool


class Hello(NamedTuple):
    """What a worker says of itself with each request for leases."""

    id: str
    incarnation: str
    version: str
    commit: str
    types: Sequence[str]
    address: str


class Workers:
    def __init__(self, store: Store, *, clock: Clock, settings: Settings) -> None:
        self._store = store
        self._clock = clock
        self._settings = settings
        self._known: dict[str, WorkerRow] = {}  # `seen_at` in it is older than here:
        self._seen_at: dict[str, datetime] = {}
        self._hellos: dict[str, Hello] = {}
        self._unwritten: set[str] = set()
        self._least: Version | None = None
        settings.on_change(self._read_least)
        self._read_least()

    def hear(self, hello: Hello) -> str:
        """Note that it is there; what it is to do."""
        known = self._known.get(hello.id)
        now = self._clock.now()
        if known is not None and self._hellos.get(hello.id) == hello:
            self._saw(hello.id, now)
            return self.word_for(hello.version, is_draining=known.is_draining)
        is_same = known is not None and known.incarnation == hello.incarnation
        if known is None and len(self._known) >= MAX_WORKERS:
            return self.word_for(hello.version, is_draining=False)
        row = WorkerRow(
            hello.id,
            hello.incarnation,
            hello.version,
            hello.commit,
            list(hello.types),
            hello.address,
            is_same and known is not None and known.is_draining,
            known.first_seen_at if known is not None else now,
            now,
        )
        self._known[hello.id] = row
        self._hellos[hello.id] = hello
        self._saw(hello.id, now)
        return self.word_for(hello.version, is_draining=row.is_draining)

    def hear_again(self, id: str, incarnation: str = "") -> str:
        """A renewal: says no more than who it is. What is known of another incarnation, an older one perhaps, is not said of it."""
        known = self._known.get(id)
        if known is None or (incarnation and known.incarnation != incarnation):
            return RUN
        self._saw(id, self._clock.now())
        return self.word_for(known.version, is_draining=known.is_draining)

    def _saw(self, id: str, now: datetime) -> None:
        self._seen_at[id] = now
        self._unwritten.add(id)

    def _seen(self, row: WorkerRow) -> WorkerRow:
        return row._replace(seen_at=self._seen_at[row.id])

    def is_new(self, id: str, incarnation: str) -> bool:
        """Whether this hub has not heard this incarnation before: it may have been served by a former hub."""
        known = self._known.get(id)
        return known is None or known.incarnation != incarnation

    def word_for(self, version: str, *, is_draining: bool) -> str:
        if self.is_stale(version):
            return STOP
        return DRAIN if is_draining else RUN

    def is_stale(self, version: str) -> bool:
        if self._least is None:
            return False
        try:
            return Version(version) < self._least
        except InvalidVersion:  # one that does not say it can't be told to be new enough
            return True

    @property
    def least_version(self) -> str:
        """The setting, as it is in force; empty: any."""
        return str(self._least or "")

    async def all(self) -> list[WorkerOut]:
        rows, running = await self._store.read(
            lambda tx: (queries.all_of_them(tx), reading_queries.running_by_worker(tx))
        )
        merged = {row.id: row for row in rows}
        for row in map(self._seen, list(self._known.values())):
            kept = merged.get(row.id)
            if kept is None or kept.seen_at <= row.seen_at:
                merged[row.id] = row
        return [self._out(row, running.get(row.id, 0)) for row in sorted(merged.values(), key=lambda row: row.id)]

    async def drain(self, id: str, actor: Actor, *, is_draining: bool = True) -> None:
        """Raises NotFound."""
        await self.keep_seen()
        await self._store.write(lambda tx: self._drain(tx, id, actor, is_draining=is_draining))

    def _drain(self, tx: Tx, id: str, actor: Actor, *, is_draining: bool) -> None:
        if not queries.set_draining(tx, id, is_draining=is_draining):
            raise NotFound(N_("there is no such worker"))
        action = "worker.drained" if is_draining else "worker.resumed"
        record(tx, actor.principal, action, f"worker:{id}", address=actor.address, now=self._clock.now())
        tx.publish(TOPIC, id)
        tx.after_commit(lambda: self._set_draining(id, is_draining=is_draining))

    def _set_draining(self, id: str, *, is_draining: bool) -> None:
        if id in self._known:
            self._known[id] = self._known[id]._replace(is_draining=is_draining)

    async def keep_seen(self) -> None:
        """Write down who was seen since the last time, and take in what other hubs say; a loop calls it."""
        names, self._unwritten = self._unwritten, set()
        if not names and not self._known:
            return
        seen = [self._seen(self._known[name]) for name in sorted(names)]
        rows = await self._store.write(lambda tx: self._keep(tx, seen))
        for row in rows:
            mine = self._known.get(row.id)
            if mine is not None and mine.incarnation == row.incarnation:
                self._known[row.id] = mine._replace(is_draining=row.is_draining, first_seen_at=row.first_seen_at)
        long_ago = self._clock.now() - timedelta(seconds=10 * SILENT_S)
        for name in [name for name, seen_at in self._seen_at.items() if seen_at < long_ago]:
            del self._known[name], self._seen_at[name], self._hellos[name]

    def _keep(self, tx: Tx, seen: Sequence[WorkerRow]) -> list[WorkerRow]:
        there = {row.id: row for row in queries.all_of_them(tx)}
        fresh = []
        for row in seen:
            kept = there.get(row.id)
            if kept is not None and kept.incarnation == row.incarnation:  # a drain may have been asked for elsewhere
                fresh.append(row._replace(is_draining=kept.is_draining))
            else:
                fresh.append(row)
        queries.keep(tx, fresh)
        tx.publish(TOPIC, "")  # pages count how long ago each was seen
        queries.drop_unseen(tx, before=self._clock.now() - timedelta(days=FORGOTTEN_DAYS))
        return list(there.values())

    def _out(self, row: WorkerRow, running: int) -> WorkerOut:
        is_stale = self.is_stale(row.version)
        is_silent = (self._clock.now() - row.seen_at).total_seconds() > SILENT_S
        quiet = "working" if running else "idle"
        spoken = "stale" if is_stale else "draining" if row.is_draining else quiet
        return WorkerOut(
            id=row.id,
            incarnation=row.incarnation,
            version=row.version,
            commit=row.commit_id,
            types=row.types,
            address=row.address,
            first_seen_at=row.first_seen_at,
            seen_at=row.seen_at,
            running=running,
            state="silent" if is_silent else spoken,
            is_stale=is_stale,
        )

    def _read_least(self) -> None:
        self._least = _version_or_none(str(self._settings.get("jobs.min_worker_version")).strip())


def _version_or_none(text: str) -> Version | None:
    try:
        return Version(text) if text else None
    except InvalidVersion:
        return None
