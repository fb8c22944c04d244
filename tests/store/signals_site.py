"""Signals on a real store, as one hub of perhaps several has them; time moves when it is told to."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Self

from atalaia.core.clock import Clock
from atalaia.core.events import Event
from atalaia.core.permissions import SYSTEM
from atalaia.core.settings import Settings
from atalaia.jobs.model.types import JobTypes
from atalaia.jobs.service import JobsService
from atalaia.jobs.settings import SETTINGS as JOBS_SETTINGS
from atalaia.outbound.guard import Guard
from atalaia.outbound.http import HttpClient
from atalaia.sdk.signals import RunOutcome, SignalRun, SignalTask
from atalaia.signals import events
from atalaia.signals.model.signals import SignalIn, SignalMade
from atalaia.signals.service import SignalsService, own_tasks
from atalaia.signals.service.book import Actor
from atalaia.signals.service.clocks import NowMs
from atalaia.signals.settings import SETTINGS
from atalaia.store.encryption import Sealer
from atalaia.store.store import Store

SLICES = ("access", "jobs", "signals")
OPERATOR = Actor(SYSTEM, "192.0.2.1")
SEALER = Sealer([b"k" * 32])
EVENTS = (
    events.SignalAnswered,
    events.SignalUnanswered,
    events.SignalRunsFailing,
    events.SignalRunsWell,
    events.SignalRefused,
    events.SignalRefusedNoMore,
)


class Work:
    """What the task `test.look` does: by default it waits until it is let go, and has found one thing to do."""

    def __init__(self) -> None:
        self.runs: list[SignalRun] = []
        self.go = asyncio.Event()
        self.cancelled: list[str] = []
        self.outcome: RunOutcome | Exception = RunOutcome(1, "{n} closed", {"n": 1})

    async def look(self, run: SignalRun) -> RunOutcome:
        self.runs.append(run)
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.cancelled.append(run.id)
            raise
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


class Site:
    """One hub. Several may stand on one store."""

    def __init__(
        self, store: Store, clock: Clock, *, settings: Mapping[str, Any] | None = None, now_ms: NowMs | None = None
    ) -> None:
        self.store = store
        self.clock = clock
        self.work = Work()
        self.settings = Settings((*JOBS_SETTINGS, *SETTINGS), file={"signals": dict(settings or {})})
        self.jobs = JobsService(store, clock=clock, settings=self.settings, types=JobTypes())
        self.http = HttpClient(Guard(allow_private=True))
        tasks = own_tasks(creating=self.jobs.creating, http=self.http, sealer=SEALER, settings=self.settings)
        self.signals = SignalsService(
            store, clock=clock, settings=self.settings, sealer=SEALER, tasks=tasks, now_ms=now_ms
        )
        self.signals.register("test", [SignalTask(name="test.look", title="Look", run=self.work.look)])

    async def __aenter__(self) -> Self:
        await self.signals.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.signals.stop()
        await self.http.aclose()

    async def make(self, name: str = "watch", task: str = "test.look", **fields: Any) -> SignalMade:
        return await self.signals.create(SignalIn(name=name, task=task, **fields), OPERATOR, may_exist=True)

    async def send(self, name: str = "watch", source: str = "here") -> str:
        """The name of the reply: Started, Held, Throttled, Paused, Unknown."""
        return type(await self.signals.sending.send(name, source)).__name__

    async def has_begun(self, count: int = 1) -> SignalRun:
        """The last of so many runs, once its task is at work."""
        await until(lambda: len(self.work.runs) >= count)
        return self.work.runs[-1]

    async def let_go(self, name: str = "watch") -> None:
        """The run ends, is on record, and whoever hears of it has heard."""
        self.work.go.set()
        # On record is not enough: what a commit tells is told after it.
        await until(lambda: all(live.signal != name for live in self.signals.running._live.values()))
        self.work.go.clear()
        assert (await self.signals.reading.one(name)).running is None


def hear(store: Store) -> list[Event]:
    """All that signals tell from now on."""
    told: list[Event] = []
    for event in EVENTS:
        store.on(event, lambda tx, said: tx.after_commit(lambda: told.append(said)))
    return told


async def until(condition: Callable[[], bool], *, within_s: float = 60) -> None:
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 - what it waits for is in the store, or in a thread
            await asyncio.sleep(0.005)


async def until_async(condition: Callable[[], Awaitable[bool]], *, within_s: float = 60) -> None:
    async with asyncio.timeout(within_s):
        while not await condition():  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.005)
