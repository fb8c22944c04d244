"""SQL on channels and routes."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Select, delete, insert, select, update
from sqlalchemy.engine import Row
from sqlalchemy.exc import IntegrityError

from atalaia.notify.model.channel import Channel, RouteRecord
from atalaia.notify.model.routing import Route
from atalaia.notify.model.severity import Severity
from atalaia.notify.tables import channel_states, channels, outbox, routes, told
from atalaia.sdk.transaction import Tx

_STATE = ("delivered_at", "failed_at", "error", "troubled_since")
_CHANNEL = tuple(name for name in Channel.__struct_fields__ if name not in _STATE)


def _with_state() -> Select[Any]:
    states = [channel_states.c[name] for name in _STATE]
    return select(channels, *states).select_from(
        channels.outerjoin(channel_states, channel_states.c.channel_id == channels.c.id)
    )


def _channel(row: Row[Any]) -> Channel:
    return Channel(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public accessor


def add_channel(tx: Tx, channel: Channel) -> bool:
    """False where another has its name."""
    if not tx.upsert(channels, [{name: getattr(channel, name) for name in _CHANNEL}], key=("name",)):
        return False
    tx.execute(insert(channel_states).values(channel_id=channel.id))
    return True


def change_channel(tx: Tx, channel: Channel) -> bool:
    """False where another has its name; the transaction has to be given up then."""
    values = {name: getattr(channel, name) for name in _CHANNEL if name not in {"id", "created_at"}}
    try:
        tx.execute(update(channels).where(channels.c.id == channel.id).values(values))
    except IntegrityError:
        return False
    return True


def delete_channel(tx: Tx, channel_id: str) -> None:
    """With its routes and all that waits for it; the record of its deliveries stays."""
    for table in (channel_states, routes, outbox, told):
        tx.execute(delete(table).where(table.c.channel_id == channel_id))
    tx.execute(delete(channels).where(channels.c.id == channel_id))


def find_channel(tx: Tx, channel_id: str, *, is_held: bool = False) -> Channel | None:
    """`is_held`: against others' changes, until the transaction ends."""
    statement = _with_state().where(channels.c.id == channel_id)
    row = tx.one(statement.with_for_update(of=channels) if is_held else statement)
    return _channel(row) if row else None


def search_channels(tx: Tx, text: str, *, limit: int) -> list[Channel]:
    """Whose name has `text` in it, whatever the case."""
    found = channels.c.name.icontains(text, autoescape=True)
    return [_channel(row) for row in tx.rows(_with_state().where(found).order_by(channels.c.name).limit(limit))]


def first_of_kind(tx: Tx, kind: str) -> Channel | None:
    """The oldest that is on."""
    chosen = channels.c.kind == kind, channels.c.is_enabled
    row = tx.one(_with_state().where(*chosen).order_by(channels.c.id).limit(1))
    return _channel(row) if row else None


def is_name_taken(tx: Tx, name: str, *, except_id: str = "") -> bool:
    return tx.one(select(channels.c.id).where(channels.c.name == name, channels.c.id != except_id)) is not None


def page_channels(tx: Tx, *, limit: int, after: str | None = None) -> list[Channel]:
    """By age, oldest first."""
    statement = _with_state().order_by(channels.c.id).limit(limit)
    if after is not None:
        statement = statement.where(channels.c.id > after)
    return [_channel(row) for row in tx.rows(statement)]


def channels_by_id(tx: Tx, ids: set[str]) -> dict[str, Channel]:
    return {row.id: _channel(row) for row in tx.rows(_with_state().where(channels.c.id.in_(ids)))}


def channel_briefs(tx: Tx, ids: set[str]) -> dict[str, tuple[str, str]]:
    """Name and kind of each."""
    rows = tx.rows(select(channels.c.id, channels.c.name, channels.c.kind).where(channels.c.id.in_(ids)))
    return {row.id: (row.name, row.kind) for row in rows}


def note_state(tx: Tx, channel_id: str, values: Mapping[str, Any]) -> None:
    tx.execute(update(channel_states).where(channel_states.c.channel_id == channel_id).values(values))


def troubled_since(tx: Tx, channel_id: str) -> datetime | None:
    since: datetime | None = tx.value(
        select(channel_states.c.troubled_since).where(channel_states.c.channel_id == channel_id).with_for_update()
    )
    return since


# -- routes


def _with_name() -> Select[Any]:
    return select(routes, channels.c.name.label("channel_name")).join(channels, channels.c.id == routes.c.channel_id)


def _route(row: Row[Any]) -> RouteRecord:
    severity = Severity(row.min_severity) if row.min_severity else None
    # Names as plain text: SQLAlchemy's for "match", a reserved word, is of a type of its own.
    values = {str(name): value for name, value in row._mapping.items()}  # noqa: SLF001 - SQLAlchemy's public accessor
    return RouteRecord(**{**values, "min_severity": severity})


def add_route(tx: Tx, route: RouteRecord) -> None:
    tx.execute(insert(routes).values(_stored(route)))


def change_route(tx: Tx, route: RouteRecord) -> None:
    tx.execute(update(routes).where(routes.c.id == route.id).values(_stored(route)))


def _stored(route: RouteRecord) -> dict[str, Any]:
    return {name: getattr(route, name) for name in RouteRecord.__struct_fields__ if name != "channel_name"}


def delete_route(tx: Tx, route_id: str) -> None:
    tx.execute(delete(routes).where(routes.c.id == route_id))


def find_route(tx: Tx, route_id: str, *, is_held: bool = False) -> RouteRecord | None:
    """`is_held`: against others' changes, until the transaction ends."""
    statement = _with_name().where(routes.c.id == route_id)
    row = tx.one(statement.with_for_update(of=routes) if is_held else statement)
    return _route(row) if row else None


def page_routes(tx: Tx, *, limit: int, after: str | None = None) -> list[RouteRecord]:
    statement = _with_name().order_by(routes.c.id).limit(limit)
    if after is not None:
        statement = statement.where(routes.c.id > after)
    return [_route(row) for row in tx.rows(statement)]


def live_routes(tx: Tx) -> list[Route]:
    """Those that are on and lead to a channel that is on."""
    statement = (
        select(routes)
        .join(channels, channels.c.id == routes.c.channel_id)
        .where(routes.c.is_enabled, channels.c.is_enabled)
    )
    return [
        Route(
            id=row.id,
            channel_id=row.channel_id,
            match=row.match,
            min_severity=Severity(row.min_severity) if row.min_severity else None,
            repeat_interval_s=row.repeat_interval_s,
            group_wait_s=row.group_wait_s,
        )
        for row in tx.rows(statement)
    ]
