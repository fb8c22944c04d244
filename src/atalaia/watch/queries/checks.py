"""SQL on checks, their labels and their places."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Select, case, delete, exists, func, insert, literal, select, tuple_, update
from sqlalchemy.engine import Row

from atalaia.sdk.transaction import Tx
from atalaia.watch.model.checks import CheckSpec
from atalaia.watch.model.states import WORST_FIRST, CheckState
from atalaia.watch.model.values import Check, CheckFilter, Place
from atalaia.watch.tables import check_labels, check_places, check_states, checks

_RANK = case({str(state): rank for rank, state in enumerate(WORST_FIRST)}, value=check_states.c.state, else_=9)


def _selected() -> Select[Any]:
    return select(checks, check_states, _RANK.label("rank")).select_from(
        checks.join(check_states, check_states.c.check_id == checks.c.id)
    )


def _check(row: Row[Any], places: Sequence[Place]) -> Check:
    spec = msgspec.convert(row.spec, CheckSpec)
    agents = [place.agent_id for place in places if not place.is_picked]
    return Check(
        id=row.id,
        spec=msgspec.structs.replace(spec, agents=agents, paused=row.is_paused),
        places=tuple(places),
        has_secrets=row.secrets is not None,
        is_paused=row.is_paused,
        revision=row.revision,
        created_at=row.created_at,
        updated_at=row.updated_at,
        state=CheckState(row.state),
        since_at=row.since_at,
        last_at=row.last_at,
        last_ms=row.last_ms,
        last_error=row.last_error,
        results=row.results,
        deadline_at=row.deadline_at,
        ping_id=row.ping_id,
    )


def _with_places(tx: Tx, rows: Sequence[Row[Any]]) -> list[Check]:
    ids = [row.id for row in rows]
    places: dict[str, list[Place]] = {check_id: [] for check_id in ids}
    statement = select(check_places).where(check_places.c.check_id.in_(ids)).order_by(check_places.c.agent_id)
    for place in tx.rows(statement) if ids else ():
        places[place.check_id].append(Place(agent_id=place.agent_id, is_picked=place.is_picked))
    return [_check(row, places[row.id]) for row in rows]


def find(tx: Tx, check_id: str) -> Check | None:
    return next(iter(find_many(tx, [check_id])), None)


def find_many(tx: Tx, check_ids: Sequence[str]) -> list[Check]:
    return _with_places(tx, tx.rows(_selected().where(checks.c.id.in_(check_ids))))


def find_by_ping_id(tx: Tx, ping_id: str) -> Check | None:
    return next(iter(_with_places(tx, tx.rows(_selected().where(checks.c.ping_id == ping_id)))), None)


def of_agent(tx: Tx, agent_id: str) -> list[tuple[str, bool]]:
    """(check, was the agent picked by the hub) of all that it measures."""
    statement = select(check_places.c.check_id, check_places.c.is_picked).where(check_places.c.agent_id == agent_id)
    return [(row.check_id, row.is_picked) for row in tx.rows(statement)]


def without_place(tx: Tx) -> list[str]:
    """Checks that no agent measures though one should."""
    has_place = exists().where(check_places.c.check_id == checks.c.id)
    statement = select(checks.c.id).where(checks.c.kind != "heartbeat", ~has_place)
    return [row.id for row in tx.rows(statement)]


def _conditions(wanted: CheckFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.state is not None:
        found.append(check_states.c.state == str(wanted.state))
    if wanted.kind is not None:
        found.append(checks.c.kind == str(wanted.kind))
    if wanted.text:
        found.append(func.lower(checks.c.name).contains(wanted.text.lower(), autoescape=True))
    if wanted.agent_id is not None:
        mine = (check_places.c.check_id == checks.c.id) & (check_places.c.agent_id == wanted.agent_id)
        found.append(exists().where(mine))
    if wanted.label is not None:
        name, value = wanted.label
        same = (
            (check_labels.c.check_id == checks.c.id) & (check_labels.c.name == name) & (check_labels.c.value == value)
        )
        found.append(exists().where(same))
    return found


def page(tx: Tx, *, wanted: CheckFilter, limit: int, after: str | None = None) -> list[Check]:
    """Newest first, from past the id `after`; one more than `limit`, to see whether there is a next page."""
    statement = _selected().where(*_conditions(wanted)).order_by(checks.c.id.desc()).limit(limit + 1)
    if after is not None:
        statement = statement.where(checks.c.id < after)
    return _with_places(tx, tx.rows(statement))


def page_worst_first(
    tx: Tx, *, wanted: CheckFilter, limit: int, after: tuple[int, str, str] | None = None
) -> list[Check]:
    """Worst first, then by name; `after` is the key (`worst_key`) of the last one of the page before."""
    name = func.lower(checks.c.name)
    statement = _selected().where(*_conditions(wanted)).order_by(_RANK, name, checks.c.id).limit(limit + 1)
    if after is not None:
        rank, past_name, past_id = after
        past = tuple_(literal(rank), literal(past_name), literal(past_id))
        key: Any = tuple_(_RANK, name, checks.c.id)
        statement = statement.where(key > past)
    return _with_places(tx, tx.rows(statement))


def worst_key(tx: Tx, check_id: str) -> tuple[int, str, str]:
    row = tx.one(
        select(_RANK.label("rank"), func.lower(checks.c.name).label("name"), checks.c.id)
        .select_from(checks.join(check_states, check_states.c.check_id == checks.c.id))
        .where(checks.c.id == check_id)
    )
    return (0, "", "") if row is None else (row.rank, row.name, row.id)


def label_values(tx: Tx, *, limit: int = 200) -> list[tuple[str, str]]:
    """Labels in use, for the filter."""
    statement = select(check_labels.c.name, check_labels.c.value).distinct().order_by("name", "value").limit(limit)
    return [(row.name, row.value) for row in tx.rows(statement)]


_ADD = insert(checks)
_ADD_PLACE = "INSERT INTO check_places (check_id, agent_id, is_picked) VALUES (?, ?, ?)"
_ADD_LABEL = "INSERT INTO check_labels (check_id, name, value) VALUES (?, ?, ?)"


def add(tx: Tx, check: Check, spec: CheckSpec, *, secrets: bytes | None) -> None:
    """`spec` as `check` has it, with secrets and agents, of which nothing is kept here."""
    row = {
        "id": check.id,
        "name": spec.name,
        "kind": str(spec.kind),
        "spec": _kept(spec),
        "secrets": secrets,
        "ping_id": check.ping_id,
        "is_paused": check.is_paused,
        "revision": check.revision,
        "created_at": check.created_at,
        "updated_at": check.updated_at,
    }
    tx.execute(_ADD, row)
    _write_labels(tx, check.id, spec)
    _write_places(tx, check.id, check.places)


def change(tx: Tx, check_id: str, spec: CheckSpec, *, secrets: bytes | None, now: datetime) -> None:
    values = {
        "name": spec.name,
        "spec": _kept(spec),
        "secrets": secrets,
        "revision": checks.c.revision + 1,
        "updated_at": now,
    }
    tx.execute(update(checks).where(checks.c.id == check_id).values(values))
    tx.execute(delete(check_labels).where(check_labels.c.check_id == check_id))
    _write_labels(tx, check_id, spec)


def set_paused(tx: Tx, check_id: str, *, is_paused: bool, now: datetime) -> None:
    """The revision stays: nothing of the policy changes."""
    tx.execute(update(checks).where(checks.c.id == check_id).values(is_paused=is_paused, updated_at=now))


def set_places(tx: Tx, check_id: str, places: Sequence[Place]) -> None:
    tx.execute(delete(check_places).where(check_places.c.check_id == check_id))
    _write_places(tx, check_id, places)
    tx.execute(update(checks).where(checks.c.id == check_id).values(revision=checks.c.revision + 1))


def secrets_of(tx: Tx, check_id: str) -> bytes | None:
    sealed: bytes | None = tx.value(select(checks.c.secrets).where(checks.c.id == check_id))
    return sealed


def remove(tx: Tx, check_id: str) -> bool:
    return tx.execute(delete(checks).where(checks.c.id == check_id)) == 1


def count(tx: Tx) -> int:
    return int(tx.value(select(func.count()).select_from(checks)))


def _kept(spec: CheckSpec) -> Any:
    """Secrets stand apart, sealed; agents in a table of their own, whether it is paused in a column."""
    return msgspec.to_builtins(msgspec.structs.replace(spec, secrets={}, agents=[], paused=False))


def _write_labels(tx: Tx, check_id: str, spec: CheckSpec) -> None:
    tx.raw_many(_ADD_LABEL, [(check_id, name, value) for name, value in spec.labels.items()])


def _write_places(tx: Tx, check_id: str, places: Sequence[Place]) -> None:
    tx.raw_many(_ADD_PLACE, [(check_id, place.agent_id, place.is_picked) for place in places])
