"""Channels, routes and the record of deliveries, as JSON."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, delete, get, patch, post
from litestar.params import Parameter
from msgspec import UNSET, UnsetType

from atalaia.access.guards import requires
from atalaia.core.permissions import Permission
from atalaia.core.translations import Locale
from atalaia.notify.channels.registry import kind_of
from atalaia.notify.model.channel import Attempt, Channel, Outcome, RouteRecord
from atalaia.notify.model.severity import Severity
from atalaia.notify.service.delivering import Result
from atalaia.notify.service.notify import NotifyService
from atalaia.web.cursors import MAX_LIMIT, Listing

AnyRequest = Request[Any, Any, Any]
Limit = Annotated[int, Parameter(ge=1, le=MAX_LIMIT)]
_OWN = frozenset({"name", "kind", "locale", "is_enabled"})


class ChannelIn(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`name` and `kind`, and the fields of the kind: url and secret of a webhook; url of apprise; the rest of email."""

    name: str
    kind: str
    locale: Locale = "en"
    is_enabled: bool = True
    url: str | UnsetType = UNSET
    secret: str | UnsetType = UNSET
    recipients: list[str] | UnsetType = UNSET
    sender: str | UnsetType = UNSET
    host: str | UnsetType = UNSET
    port: int | UnsetType = UNSET
    security: str | UnsetType = UNSET
    username: str | UnsetType = UNSET
    password: str | UnsetType = UNSET


class ChannelPatch(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What is left out stays, secrets too."""

    name: str | UnsetType = UNSET
    locale: Locale | UnsetType = UNSET
    is_enabled: bool | UnsetType = UNSET
    url: str | UnsetType = UNSET
    secret: str | UnsetType = UNSET
    recipients: list[str] | UnsetType = UNSET
    sender: str | UnsetType = UNSET
    host: str | UnsetType = UNSET
    port: int | UnsetType = UNSET
    security: str | UnsetType = UNSET
    username: str | UnsetType = UNSET
    password: str | UnsetType = UNSET


class ChannelOut(msgspec.Struct, kw_only=True):
    """Never a secret. `troubled_since`: nothing gets through since then."""

    id: str
    name: str
    kind: str
    locale: Locale
    is_enabled: bool
    created_at: datetime
    delivered_at: datetime | None
    failed_at: datetime | None
    error: str | None
    troubled_since: datetime | None
    url: str | UnsetType = UNSET
    recipients: list[str] | UnsetType = UNSET
    sender: str | UnsetType = UNSET
    host: str | UnsetType = UNSET
    port: int | UnsetType = UNSET
    security: str | UnsetType = UNSET
    username: str | UnsetType = UNSET


class RouteIn(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    channel: str
    match: dict[str, str] | UnsetType = UNSET
    min_severity: Severity | UnsetType | None = UNSET
    repeat_interval_s: int | UnsetType = UNSET
    group_wait_s: int | UnsetType = UNSET
    is_enabled: bool | UnsetType = UNSET


class RoutePatch(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    channel: str | UnsetType = UNSET
    match: dict[str, str] | UnsetType = UNSET
    min_severity: Severity | UnsetType | None = UNSET
    repeat_interval_s: int | UnsetType = UNSET
    group_wait_s: int | UnsetType = UNSET
    is_enabled: bool | UnsetType = UNSET


class RouteOut(msgspec.Struct, kw_only=True):
    id: str
    channel: str
    channel_name: str
    match: dict[str, str]
    min_severity: Severity | None
    repeat_interval_s: int
    group_wait_s: int
    is_enabled: bool
    created_at: datetime


class TestOut(msgspec.Struct, kw_only=True):
    """`status` is the receiver's answer, or why there is none."""

    is_delivered: bool
    status: str
    duration_ms: float
    delivery: str


class DeliveryOut(msgspec.Struct, kw_only=True):
    """One attempt; `delivery` is the same for all attempts of a message."""

    id: str
    delivery: str
    channel: str
    channel_name: str
    incident: str | None
    event: str
    title: str
    attempt: int
    started_at: datetime
    duration_ms: float
    outcome: Outcome
    status: str


class ChannelsApi(Controller):
    path = "/api/channels"
    tags = ("Channels",)

    @post(guards=[requires(Permission.CHANNELS_WRITE)], summary="Add a channel")
    async def create(self, request: AnyRequest, notify: NotifyService, data: ChannelIn) -> ChannelOut:
        given = _given(data)
        channel = await notify.create_channel(
            *_who(request),
            name=data.name,
            kind=data.kind,
            locale=data.locale,
            is_enabled=data.is_enabled,
            values={name: value for name, value in given.items() if name not in _OWN},
        )
        return channel_out(channel)

    @get(guards=[requires(Permission.CHANNELS_READ)], summary="List channels")
    async def list_all(
        self, notify: NotifyService, cursor: str | None = None, limit: Limit = 50
    ) -> Listing[ChannelOut]:
        found, following = await notify.channels(cursor=cursor, limit=limit)
        return Listing([channel_out(channel) for channel in found], following)

    @get("/{channel_id:str}", guards=[requires(Permission.CHANNELS_READ)], summary="One channel")
    async def read(self, notify: NotifyService, channel_id: str) -> ChannelOut:
        return channel_out(await notify.channel(channel_id))

    @patch("/{channel_id:str}", guards=[requires(Permission.CHANNELS_WRITE)], summary="Change a channel")
    async def change(
        self, request: AnyRequest, notify: NotifyService, channel_id: str, data: ChannelPatch
    ) -> ChannelOut:
        given = _given(data)
        channel = await notify.change_channel(
            *_who(request),
            channel_id,
            changes={name: value for name, value in given.items() if name in _OWN},
            values={name: value for name, value in given.items() if name not in _OWN},
        )
        return channel_out(channel)

    @delete("/{channel_id:str}", guards=[requires(Permission.CHANNELS_WRITE)], summary="Remove a channel")
    async def remove(self, request: AnyRequest, notify: NotifyService, channel_id: str) -> None:
        await notify.delete_channel(*_who(request), channel_id)

    @post(
        "/{channel_id:str}/test",
        guards=[requires(Permission.CHANNELS_WRITE)],
        status_code=200,
        summary="Send a test message and wait for the answer",
    )
    async def test(self, notify: NotifyService, channel_id: str) -> TestOut:
        return _test_out(await notify.test_channel(channel_id))


class RoutesApi(Controller):
    path = "/api/routes"
    tags = ("Channels",)

    @post(guards=[requires(Permission.CHANNELS_WRITE)], summary="Add a route")
    async def create(self, request: AnyRequest, notify: NotifyService, data: RouteIn) -> RouteOut:
        return route_out(await notify.create_route(*_who(request), _route_values(data)))

    @get(guards=[requires(Permission.CHANNELS_READ)], summary="List routes")
    async def list_all(self, notify: NotifyService, cursor: str | None = None, limit: Limit = 50) -> Listing[RouteOut]:
        found, following = await notify.routes(cursor=cursor, limit=limit)
        return Listing([route_out(route) for route in found], following)

    @get("/{route_id:str}", guards=[requires(Permission.CHANNELS_READ)], summary="One route")
    async def read(self, notify: NotifyService, route_id: str) -> RouteOut:
        return route_out(await notify.route(route_id))

    @patch("/{route_id:str}", guards=[requires(Permission.CHANNELS_WRITE)], summary="Change a route")
    async def change(self, request: AnyRequest, notify: NotifyService, route_id: str, data: RoutePatch) -> RouteOut:
        return route_out(await notify.change_route(*_who(request), route_id, _route_values(data)))

    @delete("/{route_id:str}", guards=[requires(Permission.CHANNELS_WRITE)], summary="Remove a route")
    async def remove(self, request: AnyRequest, notify: NotifyService, route_id: str) -> None:
        await notify.delete_route(*_who(request), route_id)


class DeliveriesApi(Controller):
    path = "/api/deliveries"
    tags = ("Channels",)

    @get(guards=[requires(Permission.CHANNELS_READ)], summary="Every attempt to deliver, newest first")
    async def list_all(
        self,
        notify: NotifyService,
        *,
        channel: str | None = None,
        incident: str | None = None,
        outcome: Outcome | None = None,
        cursor: str | None = None,
        limit: Limit = 50,
    ) -> Listing[DeliveryOut]:
        found, following = await notify.deliveries(
            cursor=cursor, limit=limit, channel_id=channel, incident_id=incident, outcome=outcome
        )
        return Listing([_delivery_out(attempt) for attempt in found], following)


def _who(request: AnyRequest) -> tuple[Any, str | None]:
    state = request.scope["state"]
    return state["principal"], state.get("client")


def _given(data: msgspec.Struct) -> dict[str, Any]:
    values = {name: getattr(data, name) for name in data.__struct_fields__}
    return {name: value for name, value in values.items() if value is not UNSET}


def _route_values(data: RouteIn | RoutePatch) -> dict[str, Any]:
    values = _given(data)
    if "channel" in values:
        values["channel_id"] = values.pop("channel")
    return values


def channel_out(channel: Channel) -> ChannelOut:
    hidden = {field.name for field in kind_of(channel.kind).fields if field.is_secret}
    shown = {
        name: value
        for name, value in channel.settings.items()
        if name not in hidden and name in ChannelOut.__struct_fields__
    }
    own = {name: getattr(channel, name) for name in ChannelOut.__struct_fields__ if hasattr(channel, name)}
    return ChannelOut(**own, **shown)


def route_out(route: RouteRecord) -> RouteOut:
    own = {name: getattr(route, name) for name in RouteOut.__struct_fields__ if name != "channel"}
    return RouteOut(channel=route.channel_id, **own)


def _test_out(result: Result) -> TestOut:
    return TestOut(
        is_delivered=result.is_delivered,
        status=result.status,
        duration_ms=round(result.duration_ms, 1),
        delivery=result.delivery,
    )


def _delivery_out(attempt: Attempt) -> DeliveryOut:
    return DeliveryOut(
        id=attempt.id,
        delivery=attempt.message_id,
        channel=attempt.channel_id,
        channel_name=attempt.channel_name,
        incident=attempt.incident_id,
        event=attempt.event,
        title=attempt.title,
        attempt=attempt.attempt,
        started_at=attempt.started_at,
        duration_ms=round(attempt.duration_ms, 1),
        outcome=Outcome(attempt.outcome),
        status=attempt.status,
    )
