"""Empties the outbox. On the leading hub alone; at least once, in order for each incident and channel, and for each address.

1. Read what is due, and what stands before it. Rows that may go as one are joined first, in a transaction of its own,
   so that a retry has the same content under the same delivery id. While one such message is under way to a channel, or
   many were lately (model.storm), the next ones gather.
2. Send up to AT_ONCE messages at a time, PER_CHANNEL to one channel; no transaction is open meanwhile.
3. Write down what became of each, in one transaction with the outbox: delivered rows go, failed ones get a new time.
   A crash between 2 and 3 sends again with the same delivery id, except to kinds of channels whose receivers know no such
   id: for these each target is on disk as begun before the message goes to it, and what is found so after a crash is an
   unknown outcome (docs/decisions/0018-whatsapp.md). A store that can't be written is waited for, and the
   message counts as in flight until then.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from atalaia.core.clock import Clock
from atalaia.core.errors import AtalaiaError
from atalaia.core.ids import new_id
from atalaia.notify.channels.registry import ChannelKinds
from atalaia.notify.model.channel import Channel
from atalaia.notify.model.direct import Direct
from atalaia.notify.model.notice import MessageEvent, Subject
from atalaia.notify.model.progress import Progress, read_progress
from atalaia.notify.model.queue import AT_ONCE, Message, gather_messages, joinable, pick_due
from atalaia.notify.model.storm import Lately
from atalaia.notify.queries import channels as channel_queries
from atalaia.notify.queries import direct as direct_queries
from atalaia.notify.queries import outbox as queries
from atalaia.notify.service.delivering import Transport
from atalaia.notify.service.direct import record_direct, ways_of
from atalaia.notify.service.incidents import TOPIC, queue_repeats
from atalaia.notify.service.recording import record_result
from atalaia.notify.service.ways import Begin
from atalaia.sdk.transaction import Tx
from atalaia.store.store import Store

READ_ROWS = 2000
STOP_S = 5.0
RECORD_AGAIN_S = 1.0
RECORD_AGAIN_CAP_S = 30.0
BROKEN_PAUSE_S = 30.0

log = structlog.get_logger()
Flight = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Work:
    """What one look at the store has found."""

    to_join: list[list[str]]
    picked: list[Message]
    subjects: dict[str, Subject]
    channels: dict[str, Channel]
    directs: dict[str, Direct]
    ways: dict[str, Channel]  # by kind: what direct messages go through
    room_in_s: float | None  # when a channel that is full now has room again


class Sender:
    """`run` is called by its loop, and sooner when `wake` is set; it starts sending and does not wait for its end."""

    def __init__(self, store: Store, *, clock: Clock, transport: Transport, kinds: ChannelKinds) -> None:
        self._store = store
        self._kinds = kinds
        self._clock = clock
        self._transport = transport
        self._flights: dict[str, tuple[Message, asyncio.Task[None]]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._unsubscribe = _nothing
        self._lately = Lately()
        self.wake = asyncio.Event()

    async def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._unsubscribe = self._store.live.subscribe(self._on_topic)

    async def stop(self) -> None:
        """Wait a little for what is being sent; the rest is sent again at the next start."""
        self._unsubscribe()
        if self._timer is not None:
            self._timer.cancel()
        tasks = [task for _, task in self._flights.values()]
        if tasks:
            await asyncio.wait(tasks, timeout=STOP_S)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def in_flight(self) -> int:
        return len(self._flights)

    async def run(self) -> None:
        work = await self._look()
        if work.to_join:
            work = await self._look(may_gather=await self._join(work.to_join))
        for message in work.picked:
            self._launch(message, work)
        if work.picked:
            # Their landing wakes this again; until then a look ahead would only hold up their leaving.
            return
        ahead = await self._store.read(lambda tx: queries.look_ahead(tx, now=self._clock.now()))
        if ahead.is_repeat_due:
            await self._store.write(lambda tx: queue_repeats(tx, now=self._clock.now()))
        self._set_timer(ahead.next_at, work.room_in_s)

    async def _join(self, groups: Sequence[Sequence[str]]) -> bool:
        try:
            await self._store.write(lambda tx: _join_all(tx, groups))
        except AtalaiaError as error:
            # A full disk must not keep an alert back: each goes by itself.
            log.warning("messages_not_joined", code=error.code)
            return False
        return True

    async def _look(self, *, may_gather: bool = True) -> Work:
        # Taken before the read: a message that lands meanwhile is still in what is read, and must not go twice.
        flights = [message for message, _ in self._flights.values()]
        full = self._lately.full(now_s=self._clock.monotonic())
        return await self._store.read(lambda tx: self._read(tx, flights, full, may_gather=may_gather))

    def _read(self, tx: Tx, flights: Sequence[Message], full: Mapping[str, float], *, may_gather: bool) -> Work:
        now = self._clock.now()
        rows = queries.waiting(tx, now=now, limit=READ_ROWS)
        messages = gather_messages(rows)
        if len(rows) >= READ_ROWS:
            full = {}  # what gathers would stand before everything else
        picked = pick_due(messages, now=now, in_flight=flights, room=AT_ONCE, full=full, may_gather=may_gather)
        directs = direct_queries.by_id(tx, {each.id for each in picked if each.first.event == MessageEvent.DIRECT})
        return Work(
            to_join=joinable(messages, now=now, in_flight=flights, full=full),
            picked=picked,
            directs=directs,
            ways=ways_of(tx, directs, self._kinds),
            subjects=queries.subjects(tx, {row.notice_id for message in picked for row in message.rows}),
            channels=channel_queries.channels_by_id(tx, {message.channel_id for message in picked}),
            room_in_s=min((full[each.channel_id] for each in messages if each.channel_id in full), default=None),
        )

    def _launch(self, message: Message, work: Work) -> None:
        flight = self._flight(message, work)
        if flight is None or message.id in self._flights:
            return
        task = asyncio.create_task(self._fly(message, flight), name=f"deliver {message.id}")
        self._flights[message.id] = (message, task)
        if message.is_shared:
            self._lately.note(message.channel_id, at_s=self._clock.monotonic())

    def _flight(self, message: Message, work: Work) -> Flight | None:
        """None: its channel has gone meanwhile."""
        direct = work.directs.get(message.id)
        if direct is not None:
            way = work.ways.get(direct.kind)
            return lambda: self._send_direct(message, direct, way)
        channel = work.channels.get(message.channel_id)
        if channel is None:
            return None
        subjects = [work.subjects[row.notice_id] for row in message.rows]
        return lambda: self._send(message, channel, subjects)

    async def _fly(self, message: Message, flight: Flight) -> None:
        try:
            await flight()
        except Exception:
            # A fault of ours. At once it would go again, and again: the receiver must not be flooded for it.
            log.exception("delivery_broke", delivery=message.id)
            await asyncio.sleep(BROKEN_PAUSE_S)
        finally:
            self._flights.pop(message.id, None)
            self.wake.set()

    async def _send(self, message: Message, channel: Channel, subjects: Sequence[Subject]) -> None:
        result = await self._transport.deliver(
            channel,
            delivery=message.id,
            event=MessageEvent(message.first.event),
            subjects=list(subjects),
            progress=read_progress(message.first.progress),
            begin=self._beginner(message),
        )
        if result is not None:
            await self._write_down(
                message, lambda tx: record_result(tx, message, channel, result, now=self._clock.now())
            )

    async def _send_direct(self, message: Message, direct: Direct, way: Channel | None) -> None:
        result = await self._transport.deliver_direct(
            direct, channel=way, progress=read_progress(message.first.progress), begin=self._beginner(message)
        )
        if result is None:
            return
        title = self._kinds.of(direct.kind).title
        await self._write_down(
            message,
            lambda tx: record_direct(tx, message, direct, result, channel=way, title=title, now=self._clock.now()),
        )

    def _beginner(self, message: Message) -> Begin:
        ids = [row.id for row in message.rows]
        before = message.first.progress

        async def begin(progress: Progress) -> bool:
            nonlocal before
            was, after = before, {target: str(fate) for target, fate in progress.items()}
            is_ours = await self._store.write(lambda tx: queries.note_progress(tx, ids, before=was, after=after))
            before = after
            return is_ours

        return begin

    async def _write_down(self, message: Message, record: Callable[[Tx], object]) -> None:
        wait_s = RECORD_AGAIN_S
        while True:
            try:
                await self._store.write(record)
            except AtalaiaError as error:
                log.warning("delivery_not_recorded", delivery=message.id, code=error.code)
            except Exception:  # a fault of ours: it has gone out, and must not go again for that
                log.exception("delivery_not_recorded", delivery=message.id)
            else:
                return
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 2, RECORD_AGAIN_CAP_S)

    def _set_timer(self, at: datetime | None, in_s: float | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        waits_s = [in_s] if in_s is not None else []
        if at is not None:
            waits_s.append(max(0.0, (at - self._clock.now()).total_seconds()))
        if waits_s and self._loop is not None:
            self._timer = self._loop.call_later(min(waits_s), self.wake.set)

    def _on_topic(self, topic: str, _id: str) -> None:
        """Called on any thread."""
        if topic == TOPIC and self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.wake.set)


def _join_all(tx: Tx, groups: Sequence[Sequence[str]]) -> None:
    for ids in groups:
        queries.join_rows(tx, ids, message_id=new_id())


def _nothing() -> None:
    return
