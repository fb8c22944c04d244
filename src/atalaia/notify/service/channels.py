"""Channels and routes: made, changed, removed, each change in the audit log."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from atalaia.access.audit import record
from atalaia.core.errors import Conflict, InvalidField, NotFound
from atalaia.core.ids import new_id
from atalaia.core.permissions import Principal
from atalaia.core.translations import LOCALES, N_, Locale
from atalaia.notify.channels.registry import ChannelKinds
from atalaia.notify.events import ChannelRecovered
from atalaia.notify.model.channel import Channel, RouteRecord
from atalaia.notify.model.routing import GROUP_WAIT_S, REPEAT_INTERVAL_S
from atalaia.notify.model.severity import Severity
from atalaia.notify.queries import channels as queries
from atalaia.notify.service.vault import split_values, whole_values
from atalaia.sdk.channels import ChannelKind
from atalaia.sdk.transaction import Tx
from atalaia.store.encryption import Sealer

# Channels or routes have changed: pages, and the warning that nobody will be told.
TOPIC = "channels"
MAX_NAME = 100
MAX_LABELS = 20
MAX_LABEL = 200
MAX_INTERVAL_S = 30 * 86_400


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks for a change, from where, when."""

    principal: Principal
    address: str | None
    now: datetime


# -- channels


def create_channel(
    tx: Tx,
    actor: Actor,
    *,
    name: str,
    kind: str,
    values: Mapping[str, Any],
    kinds: ChannelKinds,
    sealer: Sealer,
    locale: str = "en",
    is_enabled: bool = True,
) -> Channel:
    """Raises: InvalidField, Conflict (the name is taken)."""
    chosen = kinds.choose(kind)
    channel_id = new_id()
    settings, secrets = split_values(chosen, chosen.check(values), channel_id=channel_id, sealer=sealer)
    channel = Channel(
        id=channel_id,
        name=_check_name(tx, name),
        kind=kind,
        settings=settings,
        secrets=secrets,
        locale=check_locale(locale),
        is_enabled=is_enabled,
        created_at=actor.now,
        changed_at=actor.now,
    )
    if not queries.add_channel(tx, channel):
        raise _name_taken()
    _record(tx, actor, "channel.created", f"channel:{channel_id}", after=shown_channel(channel))
    return channel


def change_channel(
    tx: Tx,
    actor: Actor,
    channel_id: str,
    *,
    changes: Mapping[str, Any],
    values: Mapping[str, Any],
    kinds: ChannelKinds,
    sealer: Sealer,
) -> Channel:
    """`changes` may hold name, locale and is_enabled; `values` the kind's fields. What is left out stays.

    Raises:
        NotFound, InvalidField, Conflict.
    """
    before = find_channel(tx, channel_id, is_held=True)
    kind = kinds.of(before.kind)
    kept = _kept(before, kind, values, sealer=sealer)
    merged = kind.check({**kept, **_given(kind, values)})
    settings, secrets = split_values(kind, merged, channel_id=channel_id, sealer=sealer)
    after = msgspec.structs.replace(
        before,
        name=_check_name(tx, changes["name"], except_id=channel_id) if "name" in changes else before.name,
        locale=check_locale(changes.get("locale", before.locale)),
        is_enabled=changes.get("is_enabled", before.is_enabled),
        settings=settings,
        secrets=secrets,
        changed_at=actor.now,
    )
    if not queries.change_channel(tx, after):
        raise _name_taken()
    _record(
        tx, actor, "channel.changed", f"channel:{channel_id}", before=shown_channel(before), after=shown_channel(after)
    )
    return after


def delete_channel(tx: Tx, actor: Actor, channel_id: str) -> None:
    """Raises: NotFound."""
    channel = find_channel(tx, channel_id, is_held=True)
    queries.delete_channel(tx, channel_id)
    if channel.troubled_since is not None:
        tx.emit(ChannelRecovered(channel_id=channel.id, channel_name=channel.name, at=actor.now))
    _record(tx, actor, "channel.deleted", f"channel:{channel_id}", before=shown_channel(channel))


def find_channel(tx: Tx, channel_id: str, *, is_held: bool = False) -> Channel:
    """Raises: NotFound."""
    channel = queries.find_channel(tx, channel_id, is_held=is_held)
    if channel is None:
        raise NotFound(N_("there is no such channel"))
    return channel


def shown_channel(channel: Channel) -> dict[str, Any]:
    """Without what is sealed."""
    return {
        "name": channel.name,
        "kind": channel.kind,
        "is_enabled": channel.is_enabled,
        "locale": channel.locale,
        **channel.settings,
    }


def _given(kind: ChannelKind, values: Mapping[str, Any]) -> dict[str, Any]:
    """A secret that is left empty, as a form does, is kept."""
    hidden = {field.name for field in kind.fields if field.is_secret}
    return {name: value for name, value in values.items() if not (name in hidden and value in (None, ""))}


def _kept(channel: Channel, kind: ChannelKind, values: Mapping[str, Any], *, sealer: Sealer) -> dict[str, Any]:
    """What stays of a channel's values where a change leaves it out.

    Not the secrets, where the change sends them elsewhere: whoever may change channels must not have them sent to a server of
    his own, and read them there.
    """
    whole = whole_values(channel, kind, sealer=sealer)
    has_moved = any(name in values and str(values[name]).strip() != str(whole.get(name)) for name in kind.secrets_go_to)
    hidden = {field.name for field in kind.fields if field.is_secret}
    return {name: value for name, value in whole.items() if not (has_moved and name in hidden)}


def _name_taken() -> Conflict:
    return Conflict(N_("another channel has this name already"))


def _check_name(tx: Tx, name: str, *, except_id: str = "") -> str:
    text = " ".join(name.split())
    if not text or len(text) > MAX_NAME or not text.isprintable():
        raise InvalidField("name", N_("a name has 1 to {limit} characters"), limit=MAX_NAME)
    if queries.is_name_taken(tx, text, except_id=except_id):
        raise _name_taken()
    return text


def check_locale(text: str) -> Locale:
    for locale in LOCALES:
        if text == locale:
            return locale
    raise InvalidField("locale", N_("choose one of: {allowed}"), allowed=", ".join(LOCALES))


# -- routes


def create_route(tx: Tx, actor: Actor, values: Mapping[str, Any]) -> RouteRecord:
    """`values`: channel_id, and perhaps match, min_severity, repeat_interval_s, group_wait_s, is_enabled.

    Raises:
        InvalidField.
    """
    base = RouteRecord(
        id=new_id(),
        channel_id="",
        match={},
        min_severity=None,
        repeat_interval_s=REPEAT_INTERVAL_S,
        group_wait_s=GROUP_WAIT_S,
        is_enabled=True,
        created_at=actor.now,
    )
    route = _checked_route(tx, msgspec.structs.replace(base, **values))
    queries.add_route(tx, route)
    _record(tx, actor, "route.created", f"route:{route.id}", after=msgspec.to_builtins(route))
    return route


def change_route(tx: Tx, actor: Actor, route_id: str, values: Mapping[str, Any]) -> RouteRecord:
    """Raises: NotFound, InvalidField."""
    before = find_route(tx, route_id, is_held=True)
    after = _checked_route(tx, msgspec.structs.replace(before, **values))
    queries.change_route(tx, after)
    shown = {"before": msgspec.to_builtins(before), "after": msgspec.to_builtins(after)}
    _record(tx, actor, "route.changed", f"route:{route_id}", **shown)
    return after


def delete_route(tx: Tx, actor: Actor, route_id: str) -> None:
    """Raises: NotFound."""
    route = find_route(tx, route_id)
    queries.delete_route(tx, route_id)
    _record(tx, actor, "route.deleted", f"route:{route_id}", before=msgspec.to_builtins(route))


def find_route(tx: Tx, route_id: str, *, is_held: bool = False) -> RouteRecord:
    """Raises: NotFound."""
    route = queries.find_route(tx, route_id, is_held=is_held)
    if route is None:
        raise NotFound(N_("there is no such route"))
    return route


def _checked_route(tx: Tx, route: RouteRecord) -> RouteRecord:
    channel = queries.find_channel(tx, route.channel_id)
    if channel is None:
        raise InvalidField("channel", N_("there is no such channel"))
    for name, value_s in (("repeat_interval_s", route.repeat_interval_s), ("group_wait_s", route.group_wait_s)):
        if not 0 <= value_s <= MAX_INTERVAL_S:
            raise InvalidField(name, N_("this is from 0 to {limit} seconds"), limit=MAX_INTERVAL_S)
    _check_match(route.match)
    severity = Severity(route.min_severity) if route.min_severity else None
    return msgspec.structs.replace(route, channel_name=channel.name, min_severity=severity)


def _check_match(match: Mapping[str, str]) -> None:
    if len(match) > MAX_LABELS:
        raise InvalidField("match", N_("at most {limit} labels"), limit=MAX_LABELS)
    for name, value in match.items():
        if not name or max(len(name), len(value)) > MAX_LABEL:
            raise InvalidField("match", N_("names and values of labels have 1 to {limit} characters"), limit=MAX_LABEL)


def _record(tx: Tx, actor: Actor, action: str, object: str, *, before: Any = None, after: Any = None) -> None:
    record(tx, actor.principal, action, object, before=before, after=after, address=actor.address, now=actor.now)
    tx.publish(TOPIC, object.partition(":")[2])
