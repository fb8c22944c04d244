"""SQL on what people wrote: runbook and contacts."""

from datetime import datetime

from sqlalchemy import select

from atalaia.sdk.transaction import Tx
from atalaia.upstreams.model.views import Notes
from atalaia.upstreams.tables import upstream_notes as notes


def find(tx: Tx, upstream: str) -> Notes:
    row = tx.one(select(notes).where(notes.c.upstream == upstream))
    return Notes(row.runbook, row.contacts) if row else Notes()


def put(tx: Tx, upstream: str, kept: Notes, *, now: datetime) -> None:
    row = {"upstream": upstream, "runbook": kept.runbook, "contacts": kept.contacts, "changed_at": now}
    tx.upsert(notes, [row], key=["upstream"], update=["runbook", "contacts", "changed_at"])
