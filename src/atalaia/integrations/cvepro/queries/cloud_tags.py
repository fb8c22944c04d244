"""SQL on the tags that the vendor's cloud knows, and those of them that are nobody's here."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import and_, delete, exists, func, select

from atalaia.integrations.cvepro.model.cloud_tags import CloudTag
from atalaia.integrations.cvepro.tables import cloud_tags, tags
from atalaia.sdk.transaction import Tx

_FIELDS: Final = CloudTag.__struct_fields__
_AT_ONCE: Final = 500


def keep(tx: Tx, found: Sequence[CloudTag], *, now: datetime) -> int:
    """These, and no others; how many are other than before."""
    kept = {each.tag: each for each in _some(tx, select(cloud_tags))}
    new = {each.tag: each for each in found}
    changed = [each for tag, each in new.items() if kept.get(tag) != each]
    rows = [{name: getattr(each, name) for name in _FIELDS} | {"changed_at": now} for each in changed]
    if rows:
        tx.upsert(cloud_tags, rows, key=["tag"], update=[*_FIELDS[1:], "changed_at"])
    gone = [tag for tag in kept if tag not in new]
    for start in range(0, len(gone), _AT_ONCE):
        tx.execute(delete(cloud_tags).where(cloud_tags.c.tag.in_(gone[start : start + _AT_ONCE])))
    return len(changed) + len(gone)


def unclaimed(tx: Tx) -> list[CloudTag]:
    """With nobody here who has it now; by flat and name."""
    held = exists().where(and_(tags.c.tag == cloud_tags.c.tag, tags.c.until_at.is_(None)))
    c = cloud_tags.c
    return _some(tx, select(cloud_tags).where(~held).order_by(c.flat, c.user_name, c.tag))


def count(tx: Tx) -> int:
    row = tx.one(select(func.count()).select_from(cloud_tags))
    return 0 if row is None else int(row[0])


def _some(tx: Tx, question: Any) -> list[CloudTag]:
    return [CloudTag(**{name: getattr(row, name) for name in _FIELDS}) for row in tx.rows(question)]
