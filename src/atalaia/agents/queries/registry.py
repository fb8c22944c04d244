"""SQL on agents and on what was heard of them."""

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Select, and_, func, insert, or_, select, update
from sqlalchemy.engine import Row

from atalaia.agents.model.agents import Agent, Known, Seen
from atalaia.agents.model.silence import Heard
from atalaia.agents.model.wire import AgentInfo
from atalaia.agents.tables import agent_seen, agent_spools, agent_work, agents
from atalaia.core.clock import from_ms, to_ms
from atalaia.sdk.transaction import Tx

_PROBES = select(func.count()).select_from(agent_work).where(agent_work.c.agent_id == agents.c.id).scalar_subquery()


def _whole() -> Select[Any]:
    heard = agent_seen.c
    joined = agents.outerjoin(agent_seen, heard.agent_id == agents.c.id)
    columns = (heard.last_seen_at, heard.seen, heard.silent_since)
    return select(agents, *columns, _PROBES.label("probes")).select_from(joined)


def _agent(row: Row[Any]) -> Agent:
    return Agent(
        id=row.id,
        name=row.name,
        key_id=row.key_id,
        is_enrolled=row.is_enrolled,
        hostname=row.hostname,
        version=row.version,
        python=row.python,
        platform=row.platform,
        first_seen_at=row.first_seen_at,
        retired_at=row.retired_at,
        last_seen_at=row.last_seen_at,
        silent_since=row.silent_since,
        seen=msgspec.convert(row.seen or {}, Seen),
        probes=row.probes,
    )


def find(tx: Tx, agent_id: str) -> Agent | None:
    row = tx.one(_whole().where(agents.c.id == agent_id))
    return _agent(row) if row else None


def find_by_name(tx: Tx, name: str) -> Agent | None:
    row = tx.one(_whole().where(agents.c.name == name, agents.c.retired_at.is_(None)))
    return _agent(row) if row else None


def page(tx: Tx, *, limit: int, after: tuple[str, str] | None = None, with_retired: bool = False) -> list[Agent]:
    """By name, from past `after` (name and id)."""
    statement = _whole().order_by(agents.c.name, agents.c.id).limit(limit)
    if not with_retired:
        statement = statement.where(agents.c.retired_at.is_(None))
    if after is not None:
        name, id_ = after
        statement = statement.where(or_(agents.c.name > name, and_(agents.c.name == name, agents.c.id > id_)))
    return [_agent(row) for row in tx.rows(statement)]


def search(tx: Tx, text: str, *, limit: int) -> list[Agent]:
    """In use, with `text` in the name or in the host name."""
    is_in = or_(agents.c.name.icontains(text, autoescape=True), agents.c.hostname.icontains(text, autoescape=True))
    statement = _whole().where(agents.c.retired_at.is_(None), is_in).order_by(agents.c.name).limit(limit)
    return [_agent(row) for row in tx.rows(statement)]


def known(tx: Tx, *, key_id: str, own_name: str) -> Known | None:
    """The agent that a key and a name stand for."""
    is_own = or_(agents.c.is_enrolled, agents.c.own_name == own_name)
    row = tx.one(select(agents).where(agents.c.key_id == key_id, is_own))
    if row is None:
        return None
    return Known(row.id, row.name, row.retired_at is not None, (row.hostname, row.version, row.python, row.platform))


def name_of(tx: Tx, agent_id: str) -> str:
    return str(tx.value(select(agents.c.name).where(agents.c.id == agent_id)) or "")


def count_of_key(tx: Tx, key_id: str) -> int:
    return int(tx.value(select(func.count()).select_from(agents).where(agents.c.key_id == key_id)))


def is_name_taken(tx: Tx, name: str) -> bool:
    return tx.value(select(agents.c.id).where(agents.c.name == name, agents.c.retired_at.is_(None))) is not None


def add(tx: Tx, *, id: str, name: str, key_id: str, is_enrolled: bool, info: AgentInfo, now: datetime) -> None:
    values = {
        "id": id,
        "name": name,
        "key_id": key_id,
        "own_name": info.name,
        "is_enrolled": is_enrolled,
        "hostname": info.hostname,
        "version": info.version,
        "python": info.python,
        "platform": info.platform,
        "first_seen_at": now,
        "retired_at": None,
    }
    tx.execute(insert(agents).values(values))


def change(tx: Tx, agent_id: str, values: dict[str, Any]) -> None:
    tx.execute(update(agents).where(agents.c.id == agent_id).values(**values))


_SEE = (
    "INSERT INTO agent_seen (agent_id, last_seen_at, seen) VALUES (?, ?, ?)"
    " ON CONFLICT (agent_id) DO UPDATE SET last_seen_at = excluded.last_seen_at, seen = excluded.seen"
)
_TOUCH = (
    "INSERT INTO agent_seen (agent_id, last_seen_at, seen) VALUES (?, ?, '{}')"
    " ON CONFLICT (agent_id) DO UPDATE SET last_seen_at = excluded.last_seen_at"
)


def see(tx: Tx, agent_id: str, *, at: datetime, seen: Seen) -> None:
    tx.raw(_SEE, (agent_id, to_ms(at), msgspec.json.encode(seen).decode()))


def touch(tx: Tx, seen_at: dict[str, datetime]) -> None:
    """Heard of, with nothing new to say."""
    tx.raw_many(_TOUCH, [(agent_id, to_ms(at)) for agent_id, at in sorted(seen_at.items())])


def heard(tx: Tx) -> list[Heard]:
    """Of all that are not retired."""
    statement = (
        select(agents.c.id, agents.c.name, agent_seen.c.last_seen_at, agent_seen.c.silent_since)
        .join(agent_seen, agent_seen.c.agent_id == agents.c.id)
        .where(agents.c.retired_at.is_(None))
    )
    return [Heard(row.id, row.name, row.last_seen_at, row.silent_since) for row in tx.rows(statement)]


def brief(tx: Tx) -> list[tuple[str, str, datetime | None, datetime | None]]:
    """(id, name, last heard of, silent since) of all that are not retired, by name."""
    rows = tx.raw(
        "SELECT a.id, a.name, s.last_seen_at, s.silent_since FROM agents a"
        " LEFT JOIN agent_seen s ON s.agent_id = a.id WHERE a.retired_at IS NULL ORDER BY a.name"
    )
    return [(row[0], row[1], _instant(row[2]), _instant(row[3])) for row in rows]


def _instant(ms: int | None) -> datetime | None:
    return None if ms is None else from_ms(ms)


def set_silent(tx: Tx, agent_id: str, *, since: datetime | None) -> bool:
    """False where it was so before."""
    before = agent_seen.c.silent_since.is_not(None) if since is None else agent_seen.c.silent_since.is_(None)
    statement = update(agent_seen).where(agent_seen.c.agent_id == agent_id, before)
    return tx.execute(statement.values(silent_since=since)) == 1


def least_loaded(tx: Tx, *, seen_after: datetime, but_not: frozenset[str]) -> str | None:
    """Of the agents heard of since, the one with the fewest probes."""
    statement = (
        select(agents.c.id)
        .join(agent_seen, agent_seen.c.agent_id == agents.c.id)
        .where(
            agents.c.retired_at.is_(None),
            agent_seen.c.silent_since.is_(None),
            agent_seen.c.last_seen_at > seen_after,
            agents.c.id.not_in(but_not),
        )
        .order_by(_PROBES, agents.c.id)
        .limit(1)
    )
    found: str | None = tx.value(statement)
    return found


def mark(tx: Tx, agent_id: str, spool_id: str) -> int:
    """The high-water mark of a spool, -1 where nothing came yet; held until the end of the transaction."""
    if tx.dialect == "sqlite":  # there is one writer
        rows = tx.raw("SELECT last_seq FROM agent_spools WHERE agent_id = ? AND spool_id = ?", (agent_id, spool_id))
        return rows[0][0] if rows else -1
    tx.raw(
        "INSERT INTO agent_spools (agent_id, spool_id, last_seq, seen_at) VALUES (?, ?, -1, 0) ON CONFLICT DO NOTHING",
        (agent_id, spool_id),
    )
    held = "SELECT last_seq FROM agent_spools WHERE agent_id = ? AND spool_id = ? FOR UPDATE"
    return int(tx.raw(held, (agent_id, spool_id))[0][0])


_MARK = (
    "INSERT INTO agent_spools (agent_id, spool_id, last_seq, seen_at) VALUES (?, ?, ?, ?)"
    " ON CONFLICT (agent_id, spool_id) DO UPDATE SET last_seq = excluded.last_seq, seen_at = excluded.seen_at"
)


def set_mark(tx: Tx, agent_id: str, spool_id: str, *, last_seq: int, now: datetime) -> None:
    tx.raw(_MARK, (agent_id, spool_id, last_seq, to_ms(now)))


def drop_spools(tx: Tx, *, seen_before: datetime) -> int:
    """Marks of spools that nobody has sent from for so long that nobody will."""
    return tx.execute(agent_spools.delete().where(agent_spools.c.seen_at < seen_before))
