"""What a tag is worth at a charge point: residents' tags are the list."""

from datetime import datetime

from atalaia.integrations.cvepro.model.residents import tag_key
from atalaia.integrations.cvepro.model.transactions import Tag
from atalaia.integrations.cvepro.queries.residents import holder_of
from atalaia.integrations.cvepro.queries.station_tags import is_known
from atalaia.sdk.transaction import Tx


def judge_tag(tx: Tx, tag: str, *, at: datetime) -> Tag:
    holder = holder_of(tx, tag, at)
    if holder is not None:
        return Tag.ACCEPTED if holder.is_active else Tag.BLOCKED
    return Tag.EXPIRED if is_known(tx, tag_key(tag)) else Tag.INVALID
