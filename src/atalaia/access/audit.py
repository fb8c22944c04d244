"""Who did what to what, from where, before and after: added in the transaction of the change itself.

Other slices call `record` in their units of work; a change without its entry, or the other way round, can't be kept.
"""

from datetime import UTC, datetime
from typing import Any

from atalaia.access.model import AuditEntry
from atalaia.access.queries import audit as queries
from atalaia.core.ids import new_id
from atalaia.core.permissions import Principal
from atalaia.core.redaction import redact
from atalaia.sdk.transaction import Tx

TOPIC = "audit"
_MAX_ADDRESS = 100


def record(
    tx: Tx,
    principal: Principal,
    action: str,
    object: str,
    *,
    before: Any = None,
    after: Any = None,
    address: str | None = None,
    now: datetime | None = None,
) -> None:
    """Add an entry.

    Args:
        action: `<noun>.<past participle>`, such as `check.created`.
        object: `<noun>:<id>`, such as `check:0190…`.
        before: JSON-like values that the change replaced; whatever is named like a secret is kept as stars.
        after: the same, as they are now.
        address: the client's, `request.scope["state"]["client"]`.
    """
    entry = AuditEntry(
        id=new_id(),
        at=now or datetime.now(UTC),
        actor_kind=principal.kind,
        actor_id=principal.id,
        actor_name=principal.name,
        action=action,
        object=object,
        before=redact(before),
        after=redact(after),
        address=address[:_MAX_ADDRESS] if address else None,
    )
    queries.add(tx, entry)
    tx.publish(TOPIC)
