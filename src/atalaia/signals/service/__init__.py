"""Signals, for whoever wants something of them: the routes, the pages, the composition root."""

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

from atalaia.core.clock import Clock, to_ms
from atalaia.core.errors import Conflict, NotFound, TooManyRequests
from atalaia.core.ids import new_id
from atalaia.core.settings import Settings
from atalaia.core.translations import N_
from atalaia.jobs.service.creating import Creating
from atalaia.outbound.http import HttpClient
from atalaia.sdk.signals import SignalTask
from atalaia.sdk.transaction import Tx
from atalaia.signals.model.locks import Held, Throttled
from atalaia.signals.model.signals import SignalChange, SignalIn, SignalMade, SignalOut
from atalaia.signals.queries import counts, definitions, locks, runs
from atalaia.signals.service.book import Actor, Book, Put, found
from atalaia.signals.service.clocks import NowMs, hub_clock
from atalaia.signals.service.command_task import command_task
from atalaia.signals.service.counting import Counting
from atalaia.signals.service.drawing import Drawing
from atalaia.signals.service.ending import Ends
from atalaia.signals.service.job_task import job_task
from atalaia.signals.service.judging import Judging
from atalaia.signals.service.reading import Reading
from atalaia.signals.service.running import Running
from atalaia.signals.service.scheduling import Scheduling
from atalaia.signals.service.sending import Sending
from atalaia.signals.service.starting import Starting, Unknown, Wish
from atalaia.signals.service.tasks import Started, Task, Tasks
from atalaia.signals.service.webhook_task import webhook_task
from atalaia.store.encryption import Sealer
from atalaia.store.store import Store

PERSON = "person"
_STEP_ROWS = 500
_MAX_STEPS = 200


class RunRef(NamedTuple):
    """A run that has begun by hand; one of a task that works at once may be over already."""

    signal: str
    id: str
    fence: int


class SignalsService:
    """`now_ms` is the clock that decides about locks and throttles; see service.clocks."""

    def __init__(
        self,
        store: Store,
        *,
        clock: Clock,
        settings: Settings,
        sealer: Sealer,
        tasks: Sequence[Task] = (),
        now_ms: NowMs | None = None,
    ) -> None:
        decides = now_ms or hub_clock(clock)
        self._store = store
        self._clock = clock
        self._settings = settings
        self._now_ms = decides
        self.tasks = Tasks(tasks)
        self.counting = Counting(store, clock=clock)
        self.ends = Ends(store, now_ms=decides, settings=settings, counted=self.counting.ended)
        self.running = Running(store, self.tasks, self.ends, now_ms=decides, settings=settings, clock=clock)
        self.starting = Starting(
            store,
            self.tasks,
            self.ends,
            now_ms=decides,
            settings=settings,
            holder=new_id(),
            begin=self.running.begin,
            is_ours=self.running.is_ours,
        )
        self.sending = Sending(self.starting, self.running, clock=clock)
        self.scheduling = Scheduling(store, self.starting, clock=clock)
        self.judging = Judging(store, clock=clock)
        self.reading = Reading(store, self.tasks, clock=clock)
        self.drawing = Drawing(store, clock=clock)
        self._book = Book(sealer=sealer, check=self.tasks.check)

    async def start(self) -> None:
        self.running.open()
        if self._store.dialect == "sqlite":
            await self._store.write(self.clamp_leases)
        await self.judging.look()

    async def stop(self) -> None:
        await self.running.stop()
        await self.counting.flush()

    def clamp_leases(self, tx: Tx) -> None:
        """Of one hub alone: a lock whose lease ends later than any could was taken before the clock was set back."""
        lease_ms = round(self._settings.get("signals.lease_s") * 1000)
        locks.clamp_leases(tx, until_ms=self._now_ms(tx) + lease_ms)

    def register(self, integration: str, tasks: Sequence[SignalTask]) -> None:
        """Raises ConfigError."""
        self.tasks.register(integration, tasks)

    # -- by people and keys

    async def create(self, wanted: SignalIn, actor: Actor, *, may_exist: bool = False) -> SignalMade:
        """Raises InvalidField, Conflict, Forbidden."""
        return await self._store.write(
            lambda tx: self._made(tx, self._book.put(tx, wanted, actor, now=self._clock.now(), may_exist=may_exist))
        )

    async def change(self, name: str, change: SignalChange, actor: Actor) -> SignalMade:
        """Raises NotFound, InvalidField, Forbidden."""
        made = await self._store.write(
            lambda tx: self._made(tx, self._book.change(tx, name, change, actor, now=self._clock.now()))
        )
        self.sending.forget(name)
        return made

    async def drop(self, name: str, actor: Actor) -> None:
        """Raises NotFound."""
        await self._store.write(lambda tx: self._book.drop(tx, name, actor, now=self._clock.now()))
        self.sending.forget(name)

    async def run_now(self, name: str, actor: Actor) -> RunRef:
        """By a person's hand, also where it is paused; lock and throttle hold for everybody.

        Raises:
            NotFound.
            Conflict: a run is under way.
            TooManyRequests: the last one began too short a while ago.
        """
        source = f"{PERSON}: {actor.principal.name}"[:200]
        await self._store.read(lambda tx: found(tx, name))
        reply = await self.starting.start(Wish(name, new_id(), source, heeds_pause=False))
        if isinstance(reply, Unknown):
            raise NotFound(N_("there is no such signal"))
        if isinstance(reply, Held):
            raise Conflict(N_("a run of this signal is under way"), code="signal_running")
        if isinstance(reply, Throttled):
            raise TooManyRequests(N_("the last run began a moment ago"), retry_after_s=reply.left_ms / 1000)
        if not isinstance(reply, Started):
            raise TypeError(reply)
        return RunRef(reply.signal, reply.run_id, reply.fence)

    # -- what recurs

    async def clear_away(self) -> None:
        """Drop what is older than the setting says, and what was kept of dropped signals, in small steps."""
        before = self._clock.now() - timedelta(days=self._settings.get("signals.kept_days"))
        for _ in range(_MAX_STEPS):
            gone = await self._store.write(lambda tx: runs.drop_old(tx, before=before, limit=_STEP_ROWS))
            gone += await self._store.write(lambda tx: definitions.drop_orphans(tx, limit=_STEP_ROWS))
            if not gone:
                break
        await self._store.write(lambda tx: runs.drop_old_hours(tx, before_ms=to_ms(before)))
        await self._store.write(lambda tx: counts.drop_old(tx, before_ms=to_ms(before)))

    def _made(self, tx: Tx, put: Put) -> SignalMade:
        out: SignalOut = self.reading.out(tx, put.row)
        return SignalMade(signal=out, is_new=put.is_new, secret=put.secret)


def own_tasks(*, creating: Creating, http: HttpClient, sealer: Sealer, settings: Settings) -> Sequence[Task]:
    """Those of no integration. Raises ConfigError: a command of the settings that can't be run."""
    return (job_task(creating), webhook_task(http, sealer), command_task(settings))
