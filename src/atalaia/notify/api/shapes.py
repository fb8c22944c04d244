"""The JSON of channels, routes and deliveries, and how values become it."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Request
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter
from msgspec import UNSET, UnsetType

from atalaia.core.permissions import Permission
from atalaia.core.redaction import shown_address
from atalaia.core.translations import Locale
from atalaia.notify.model.channel import Attempt, Channel, Outcome, RouteRecord
from atalaia.notify.model.severity import Severity
from atalaia.notify.service.delivering import Result
from atalaia.notify.service.notify import NotifyService
from atalaia.web.cursors import MAX_LIMIT

AnyRequest = Request[Any, Any, Any]
Notify = NamedDependency[NotifyService]
PathText = FromPath[str]
QueryText = FromQuery[str | None]
Limit = Annotated[int, QueryParameter(ge=1, le=MAX_LIMIT)]
# What every kind of channel has; the rest is the kind's own.
OWN = frozenset({"name", "kind", "locale", "is_enabled"})
# What a kind of the hub itself may have beside these; other kinds have theirs in `fields`.
_FIELDS = "fields"


class ChannelIn(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`name` and `kind`, and in `fields` those of the kind, as `{"numbers": ["+55 11 91234-5678"]}`.

    They may stand beside `name` too: url and secret of a webhook, url of apprise, the rest of email.
    """

    name: str
    kind: str
    locale: Locale = "en"
    is_enabled: bool = True
    fields: dict[str, Any] | UnsetType = UNSET
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
    fields: dict[str, Any] | UnsetType = UNSET
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
    """Never a secret: `fields` has the others of its kind; a `url` is shown in part to who may not change channels.

    `troubled_since`: messages do not get through since then.
    """

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
    fields: dict[str, Any]
    url: str | UnsetType = UNSET
    recipients: list[str] | UnsetType = UNSET
    sender: str | UnsetType = UNSET
    host: str | UnsetType = UNSET
    port: int | UnsetType = UNSET
    security: str | UnsetType = UNSET
    username: str | UnsetType = UNSET


_BESIDE = frozenset(ChannelOut.__struct_fields__) & frozenset(
    {"url", "recipients", "sender", "host", "port", "security", "username"}
)


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
    """One attempt at one of the channel's receivers (`target`, empty where its kind does not tell them apart).

    `delivery` is the same for all attempts of a message. `outcome` unknown: perhaps sent, and not sent again; expired: it would have
    come too late. A message to a person's address (`event` direct) has no incident, perhaps no channel (empty), and its address as
    `target`, in part for who may not change channels.
    """

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
    target: str


def who(request: AnyRequest) -> tuple[Any, str | None]:
    state = request.scope["state"]
    return state["principal"], state.get("client")


def given_values(data: msgspec.Struct) -> dict[str, Any]:
    values = {name: getattr(data, name) for name in data.__struct_fields__}
    return {name: value for name, value in values.items() if value is not UNSET}


def kind_values(data: ChannelIn | ChannelPatch) -> dict[str, Any]:
    """The fields of its kind, wherever they stand."""
    given = given_values(data)
    beside = {name: value for name, value in given.items() if name not in OWN and name != _FIELDS}
    return {**beside, **given.get(_FIELDS, {})}


def route_values(data: RouteIn | RoutePatch) -> dict[str, Any]:
    values = given_values(data)
    if "channel" in values:
        values["channel_id"] = values.pop("channel")
    return values


def channel_out(channel: Channel, request: AnyRequest) -> ChannelOut:
    own = {name: getattr(channel, name) for name in ChannelOut.__struct_fields__ if hasattr(channel, name)}
    fields = dict(channel.settings)
    principal, _ = who(request)
    # An address may let in whoever knows it.
    if "url" in fields and not principal.may(Permission.CHANNELS_WRITE):
        fields["url"] = shown_address(str(fields["url"]))
    beside = {name: value for name, value in fields.items() if name in _BESIDE}
    return ChannelOut(**own, **beside, fields=fields)


def route_out(route: RouteRecord) -> RouteOut:
    own = {name: getattr(route, name) for name in RouteOut.__struct_fields__ if name != "channel"}
    return RouteOut(channel=route.channel_id, **own)


def test_out(result: Result) -> TestOut:
    return TestOut(
        is_delivered=result.is_delivered,
        status=result.status,
        duration_ms=round(result.duration_ms, 1),
        delivery=result.delivery,
    )


def delivery_out(attempt: Attempt) -> DeliveryOut:
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
        target=attempt.target,
    )
