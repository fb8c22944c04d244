"""SQL on what agents have to do: probes of their plans, and tries."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import delete, select, update
from sqlalchemy.engine import Row

from atalaia.agents.model.agents import WorkItem
from atalaia.agents.model.wire import Probe
from atalaia.agents.tables import agent_plans, agent_tries, agent_work
from atalaia.core.ids import new_id
from atalaia.core.redaction import redact_url
from atalaia.sdk.transaction import Tx
from atalaia.store.encryption import Sealer

_WORK_KEY = ("agent_id", "owner", "probe_id")
_WORK_REST = ("kind", "target", "interval_s", "timeout_s", "options", "labels", "secrets")
_TRY_PURPOSE = "agents.try"


def _purpose(owner: str, probe_id: str) -> str:
    return f"agents.probe:{owner}:{probe_id}"


def _probe(row: Row[Any], sealer: Sealer) -> Probe:
    secrets = {}
    if row.secrets is not None:
        opened = sealer.open(row.secrets, purpose=_purpose(row.owner, row.probe_id))
        secrets = msgspec.json.decode(opened, type=dict[str, str])
    return Probe(
        id=row.probe_id,
        kind=row.kind,
        target=row.target,
        interval_s=row.interval_s,
        timeout_s=row.timeout_s,
        options=row.options,
        secrets=secrets,
        labels=row.labels,
    )


def probes_of_agent(tx: Tx, agent_id: str, *, sealer: Sealer, owner: str | None = None) -> list[Probe]:
    statement = select(agent_work).where(agent_work.c.agent_id == agent_id).order_by(agent_work.c.probe_id)
    if owner is not None:
        statement = statement.where(agent_work.c.owner == owner)
    return [_probe(row, sealer) for row in tx.rows(statement)]


def items_of_agent(tx: Tx, agent_id: str) -> list[WorkItem]:
    columns = (agent_work.c[name] for name in ("probe_id", "kind", "target", "interval_s", "timeout_s"))
    statement = select(*columns).where(agent_work.c.agent_id == agent_id)
    return [
        WorkItem(
            id=row.probe_id,
            kind=row.kind,
            target=redact_url(row.target),
            interval_s=row.interval_s,
            timeout_s=row.timeout_s,
        )
        for row in tx.rows(statement.order_by(agent_work.c.target, agent_work.c.probe_id))
    ]


def agents_of_probe(tx: Tx, *, owner: str, probe_id: str, sealer: Sealer) -> dict[str, Probe]:
    """Who has it at present, and in which form."""
    statement = select(agent_work).where(agent_work.c.owner == owner, agent_work.c.probe_id == probe_id)
    return {row.agent_id: _probe(row, sealer) for row in tx.rows(statement)}


def put(tx: Tx, *, owner: str, agent_id: str, probes: Sequence[Probe], sealer: Sealer) -> None:
    rows = [
        {
            "agent_id": agent_id,
            "owner": owner,
            "probe_id": probe.id,
            "kind": probe.kind,
            "target": probe.target,
            "interval_s": probe.interval_s,
            "timeout_s": probe.timeout_s,
            "options": probe.options,
            "labels": probe.labels,
            "secrets": _sealed(probe, owner, sealer),
        }
        for probe in probes
    ]
    tx.upsert(agent_work, rows, key=_WORK_KEY, update=_WORK_REST)


def _sealed(probe: Probe, owner: str, sealer: Sealer) -> bytes | None:
    if not probe.secrets:
        return None
    return sealer.seal(msgspec.json.encode(probe.secrets).decode(), purpose=_purpose(owner, probe.id))


def drop(tx: Tx, *, owner: str, agent_id: str, probe_ids: Sequence[str]) -> None:
    tx.execute(
        delete(agent_work).where(
            agent_work.c.owner == owner, agent_work.c.agent_id == agent_id, agent_work.c.probe_id.in_(probe_ids)
        )
    )


def drop_all(tx: Tx, agent_id: str) -> None:
    for table in (agent_work, agent_plans, agent_tries):
        tx.execute(delete(table).where(table.c.agent_id == agent_id))


def etag(tx: Tx, agent_id: str) -> str:
    """The mark of the agent's present plan; "none" while it has none."""
    rows = tx.raw("SELECT etag FROM agent_plans WHERE agent_id = ?", (agent_id,))
    return rows[0][0] if rows else "none"


def change_etag(tx: Tx, agent_id: str) -> None:
    tx.upsert(agent_plans, [{"agent_id": agent_id, "etag": new_id()}], key=("agent_id",), update=("etag",))


def add_try(tx: Tx, *, agent_id: str, probe: Probe, expires_at: datetime, sealer: Sealer) -> None:
    sealed = sealer.seal(msgspec.json.encode(probe).decode(), purpose=_TRY_PURPOSE)
    row = {"try_id": probe.try_id, "agent_id": agent_id, "probe": sealed, "result": None, "expires_at": expires_at}
    tx.insert(agent_tries, [row])


def tries_of_agent(tx: Tx, agent_id: str, *, now: datetime, sealer: Sealer) -> list[Probe]:
    """Those that wait to be run."""
    statement = select(agent_tries.c.probe).where(
        agent_tries.c.agent_id == agent_id, agent_tries.c.result.is_(None), agent_tries.c.expires_at > now
    )
    opened = (sealer.open(row.probe, purpose=_TRY_PURPOSE) for row in tx.rows(statement))
    return [msgspec.json.decode(text, type=Probe) for text in opened]


def set_try_result(tx: Tx, try_id: str, *, agent_id: str, result: Any) -> bool:
    """False where no such try waits."""
    waits = (agent_tries.c.try_id == try_id) & (agent_tries.c.agent_id == agent_id) & agent_tries.c.result.is_(None)
    return tx.execute(update(agent_tries).where(waits).values(result=result)) == 1


def try_result(tx: Tx, try_id: str) -> Any:
    """None while it waits."""
    return tx.value(select(agent_tries.c.result).where(agent_tries.c.try_id == try_id))


def drop_tries(tx: Tx, *, expired_before: datetime) -> int:
    return tx.execute(delete(agent_tries).where(agent_tries.c.expires_at < expired_before))
