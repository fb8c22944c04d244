"""SQL on tokens."""

from typing import Any

from sqlalchemy import select, update
from sqlalchemy.engine import Row

from atalaia.sdk.transaction import Tx
from atalaia.upstreams.model.logins import TokenRow
from atalaia.upstreams.model.registered import Key
from atalaia.upstreams.tables import upstream_tokens as tokens


def _row(row: Row[Any]) -> TokenRow:
    return TokenRow(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public accessor


def find(tx: Tx, key: Key) -> TokenRow:
    """What is kept; an empty row where nothing is."""
    row = tx.one(select(tokens).where(tokens.c.upstream == key[0], tokens.c.account == key[1]))
    return _row(row) if row else TokenRow(upstream=key[0], account=key[1])


def lock(tx: Tx, key: Key) -> TokenRow:
    """The same, made if it is not there, and held until the end of the transaction: all who would log in stand in line here."""
    fresh = {"upstream": key[0], "account": key[1], "generation": 0, "quick": 0, "failures": 0}
    tx.upsert(tokens, [fresh], key=["upstream", "account"])
    row = tx.one(select(tokens).where(tokens.c.upstream == key[0], tokens.c.account == key[1]).with_for_update())
    assert row is not None  # noqa: S101 - inserted above
    return _row(row)


def change(tx: Tx, key: Key, **values: Any) -> None:
    tx.execute(update(tokens).where(tokens.c.upstream == key[0], tokens.c.account == key[1]).values(values))


def everything(tx: Tx) -> dict[Key, TokenRow]:
    return {(row.upstream, row.account): _row(row) for row in tx.rows(select(tokens))}
