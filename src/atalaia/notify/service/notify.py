"""What api and pages ask of notify."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

import structlog

from atalaia.core.clock import Clock, from_ms, to_ms
from atalaia.core.ids import new_id
from atalaia.core.permissions import Permission, Principal
from atalaia.core.translations import N_, Translator
from atalaia.notify.channels.registry import ChannelKinds
from atalaia.notify.model.channel import Attempt, Channel, RouteRecord
from atalaia.notify.model.notice import CheckBrief, IncidentBrief, MessageEvent, Subject
from atalaia.notify.model.severity import Severity
from atalaia.notify.queries import channels as channel_queries
from atalaia.notify.queries import outbox as queries
from atalaia.notify.service import channels as edit
from atalaia.notify.service import recording
from atalaia.notify.service.channels import TOPIC, Actor
from atalaia.notify.service.delivering import Result, Transport
from atalaia.notify.service.targets import refuse_unreachable
from atalaia.outbound.guard import Guard
from atalaia.sdk.contribution import Found
from atalaia.sdk.transaction import Tx
from atalaia.store.encryption import Sealer
from atalaia.store.store import Store
from atalaia.web.cursors import decode_cursor, page_of
from atalaia.web.pages import Banner

T = TypeVar("T")
PRUNE_ROWS = 1000
KEPT_DAYS = 90

log = structlog.get_logger()


class NotifyService:
    def __init__(
        self, store: Store, *, clock: Clock, sealer: Sealer, transport: Transport, kinds: ChannelKinds, guard: Guard
    ) -> None:
        self._store = store
        self._clock = clock
        self._sealer = sealer
        self._transport = transport
        self._guard = guard
        self.kinds = kinds
        self._has_route = True  # until it is known: no false alarm on the first page after a start
        self._is_stale = True
        self._unsubscribe: Any = None

    # -- channels

    async def create_channel(
        self, principal: Principal, address: str | None, *, values: Mapping[str, Any], **fields: Any
    ) -> Channel:
        refuse_unreachable(values, self._guard)
        actor = self._actor(principal, address)
        return await self._changed(
            lambda tx: edit.create_channel(tx, actor, values=values, kinds=self.kinds, sealer=self._sealer, **fields)
        )

    async def change_channel(
        self,
        principal: Principal,
        address: str | None,
        channel_id: str,
        *,
        changes: Mapping[str, Any],
        values: Mapping[str, Any],
    ) -> Channel:
        refuse_unreachable(values, self._guard)
        actor = self._actor(principal, address)
        return await self._changed(
            lambda tx: edit.change_channel(
                tx, actor, channel_id, changes=changes, values=values, kinds=self.kinds, sealer=self._sealer
            )
        )

    async def delete_channel(self, principal: Principal, address: str | None, channel_id: str) -> None:
        actor = self._actor(principal, address)
        await self._changed(lambda tx: edit.delete_channel(tx, actor, channel_id))

    async def channel(self, channel_id: str) -> Channel:
        """Raises: NotFound."""
        return await self._store.read(lambda tx: edit.find_channel(tx, channel_id))

    async def channels(self, *, cursor: str | None = None, limit: int = 50) -> tuple[list[Channel], str | None]:
        after = decode_cursor(cursor, str)
        rows = await self._store.read(
            lambda tx: channel_queries.page_channels(tx, limit=limit + 1, after=after[0] if after else None)
        )
        return page_of(rows, limit, lambda channel: (channel.id,))

    async def search(self, text: str, limit: int) -> list[Found]:
        rows = await self._store.read(lambda tx: channel_queries.search_channels(tx, text, limit=limit))
        return [Found(N_("Channel"), channel.name, f"/channels/{channel.id}", channel.kind) for channel in rows]

    async def test_channel(self, channel_id: str) -> Result:
        """Send a test message now, past the outbox, and put it on record. Raises: NotFound."""
        channel = await self.channel(channel_id)
        subject = _test_subject(self._clock)
        result = await self._transport.deliver(channel, delivery=new_id(), event=MessageEvent.TEST, subjects=[subject])
        assert result is not None  # noqa: S101 - only a message of the outbox can be taken by another hub
        await self._store.write(lambda tx: self._record_test(tx, channel, result))
        return result

    def _record_test(self, tx: Tx, channel: Channel, result: Result) -> None:
        attempts = [
            result.attempt(
                each,
                channel,
                incident_id=None,
                event=MessageEvent.TEST,
                number=1,
                outcome=recording.outcome_of(each),
            )
            for each in result.tries
        ]
        queries.add_attempts(tx, attempts)
        recording.note_test(tx, channel, result, now=self._clock.now())
        tx.publish(recording.TOPIC, channel.id)

    # -- routes

    async def create_route(self, principal: Principal, address: str | None, values: Mapping[str, Any]) -> RouteRecord:
        actor = self._actor(principal, address)
        return await self._changed(lambda tx: edit.create_route(tx, actor, values))

    async def change_route(
        self, principal: Principal, address: str | None, route_id: str, values: Mapping[str, Any]
    ) -> RouteRecord:
        actor = self._actor(principal, address)
        return await self._changed(lambda tx: edit.change_route(tx, actor, route_id, values))

    async def delete_route(self, principal: Principal, address: str | None, route_id: str) -> None:
        actor = self._actor(principal, address)
        await self._changed(lambda tx: edit.delete_route(tx, actor, route_id))

    async def route(self, route_id: str) -> RouteRecord:
        """Raises: NotFound."""
        return await self._store.read(lambda tx: edit.find_route(tx, route_id))

    async def routes(self, *, cursor: str | None = None, limit: int = 50) -> tuple[list[RouteRecord], str | None]:
        after = decode_cursor(cursor, str)
        rows = await self._store.read(
            lambda tx: channel_queries.page_routes(tx, limit=limit + 1, after=after[0] if after else None)
        )
        return page_of(rows, limit, lambda route: (route.id,))

    # -- record

    async def deliveries(
        self,
        *,
        cursor: str | None = None,
        limit: int = 50,
        channel_id: str | None = None,
        incident_id: str | None = None,
        outcome: str | None = None,
    ) -> tuple[list[Attempt], str | None]:
        """Newest first."""
        wanted = {"channel_id": channel_id, "incident_id": incident_id, "outcome": outcome}
        before = decode_cursor(cursor, str)
        rows = await self._store.read(
            lambda tx: queries.page_attempts(tx, wanted, limit=limit + 1, before=before[0] if before else None)
        )
        return page_of(rows, limit, lambda attempt: (attempt.id,))

    async def waiting(self) -> int:
        """Messages on their way."""
        count, _ = await self._store.read(queries.count_waiting)
        return count

    async def prune(self) -> None:
        """Forget attempts of more than KEPT_DAYS ago, a small batch at a time."""
        before_id = _first_id_of(to_ms(self._clock.now() - timedelta(days=KEPT_DAYS)))
        while await self._store.write(lambda tx: queries.prune(tx, before_id=before_id, limit=PRUNE_ROWS)):
            pass

    # -- "nobody will be told"

    @property
    def has_route(self) -> bool:
        """Whether some route leads to a channel that is on; known without asking the store."""
        return self._has_route

    def banners(self, viewer: Principal, translator: Translator) -> list[Banner]:
        """Not for people who see nothing of what is watched: they can do nothing about it."""
        if self._has_route or not viewer.may(Permission.OVERVIEW_READ):
            return []
        text = translator.translate(N_("Nobody will be told: there is no route that leads to a channel."))
        return [Banner("danger", text, href="/channels", action=translator.translate(N_("Set up channels and routes")))]

    async def start(self) -> None:
        self._unsubscribe = self._store.live.subscribe(self._on_topic)
        await self.refresh()

    async def stop(self) -> None:
        if self._unsubscribe is not None:
            self._unsubscribe()

    async def refresh(self) -> None:
        """Called every few seconds on every hub; asks the store only after a change."""
        if self._is_stale:
            self._is_stale = False
            self._has_route = bool(await self._store.read(channel_queries.live_routes))

    def _on_topic(self, topic: str, _id: str) -> None:
        if topic == TOPIC:
            self._is_stale = True

    async def _changed(self, unit: Callable[[Tx], T]) -> T:
        value = await self._store.write(unit)
        # The next page of whoever made the change must not warn any more.
        self._is_stale = True
        await self.refresh()
        return value

    def _actor(self, principal: Principal, address: str | None) -> Actor:
        # Whole milliseconds, as the store keeps them: what is answered now is what will be read later.
        return Actor(principal=principal, address=address, now=from_ms(to_ms(self._clock.now())))


def _first_id_of(ms: int) -> str:
    """The smallest UUID 7 of a millisecond."""
    return str(UUID(int=ms << 80))


def _test_subject(clock: Clock) -> Subject:
    incident = IncidentBrief(id="test", title="Test", severity=Severity.INFO, state="resolved", opened_at=clock.now())
    return Subject(incident=incident, check=CheckBrief(id="test", name="Test", state="up", labels={}))
