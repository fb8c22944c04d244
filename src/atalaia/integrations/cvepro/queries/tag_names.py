"""SQL on which tag is meant where the vendor tells only its number, as of sessions under way."""

from collections.abc import Collection

from sqlalchemy import func, select, tuple_

from atalaia.integrations.cvepro.tables import cloud_tags, sessions
from atalaia.sdk.transaction import Tx


def tags_by_pk(tx: Tx, pks: Collection[str]) -> dict[str, str]:
    """As the list of tags has it, else as the newest session with that number said; those that nobody named are not there."""
    if not pks:
        return {}
    s, listed = sessions.c, cloud_tags.c
    newest = (
        select(s.tag_pk, func.max(s.sort_at)).where(s.tag_pk.in_(pks), s.tag.is_not(None)).group_by(s.tag_pk).subquery()
    )
    said = select(s.tag_pk, s.tag).where(tuple_(s.tag_pk, s.sort_at).in_(select(newest)), s.tag.is_not(None))
    found = {row.tag_pk: row.tag for row in tx.rows(said)}
    return found | {row.pk: row.tag for row in tx.rows(select(listed.pk, listed.tag).where(listed.pk.in_(pks)))}
