"""Which number a source has: remembered, looked up, or made where it is new."""

from atalaia.core.errors import InvalidField
from atalaia.core.translations import N_
from atalaia.pings.model import SourceKey
from atalaia.pings.queries import receiving as queries
from atalaia.sdk.transaction import Tx

MAX_SOURCES = 10_000


class Sources:
    """What is remembered is committed: a unit that is rolled back leaves no trace."""

    def __init__(self) -> None:
        self._ids: dict[SourceKey, int] = {}

    def is_known(self, key: SourceKey) -> bool:
        return key in self._ids

    def id_of(self, tx: Tx, key: SourceKey) -> int:
        """Raises InvalidField: there are too many already."""
        known = self._ids.get(key)
        if known is not None:
            return known
        found = queries.source_id(tx, key)
        if found is None:
            if queries.count_sources(tx) >= MAX_SOURCES:
                raise InvalidField(
                    "source", N_("there are {limit} sources already, which is the limit"), limit=MAX_SOURCES
                )
            found = queries.add_source(tx, key)
        id_ = found
        tx.after_commit(lambda: self._ids.__setitem__(key, id_))
        return id_


def check_words(key: SourceKey, *, field: str = "source") -> None:
    """Raises InvalidField: a character that can't be shown (or that a database can't keep)."""
    for name, value in zip(SourceKey._fields, key, strict=True):
        if not value.isprintable():
            raise InvalidField(f"{field}.{name}", N_("control characters are not possible here"))
