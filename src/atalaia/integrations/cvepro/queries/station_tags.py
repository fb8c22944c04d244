"""SQL on residents' tags as charge points ask for them."""

from sqlalchemy import select

from atalaia.integrations.cvepro.tables import residents, tags
from atalaia.sdk.transaction import Tx


def is_known(tx: Tx, key: str | None) -> bool:
    """Whether anybody had it at any time."""
    return key is not None and tx.one(select(tags.c.id).where(tags.c.tag == key).limit(1)) is not None


def to_start_with(tx: Tx) -> list[tuple[str, str, str]]:
    """Tags that are held, each with its resident's name and flat; by flat."""
    question = (
        select(tags.c.tag, residents.c.name, residents.c.flat)
        .join(residents, residents.c.id == tags.c.resident_id)
        .where(tags.c.until_at.is_(None), residents.c.is_active.is_(True))
        .order_by(residents.c.flat, residents.c.name, tags.c.tag)
    )
    return [(row.tag, row.name, row.flat) for row in tx.rows(question)]
