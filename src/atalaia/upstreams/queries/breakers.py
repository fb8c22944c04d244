"""SQL on breakers."""

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import select, update
from sqlalchemy.engine import Row

from atalaia.outbound.breaker import CLOSED, BreakerState
from atalaia.sdk.transaction import Tx
from atalaia.upstreams.model.registered import Key
from atalaia.upstreams.tables import upstream_breakers as breakers


class Kept(msgspec.Struct, frozen=True):
    """A breaker's state, and since when it fails: from the first opening to the next success."""

    state: BreakerState = CLOSED
    failing_since: datetime | None = None
    reason: str | None = None


def _kept(row: Row[Any]) -> Kept:
    return Kept(msgspec.convert(row.state, BreakerState), row.failing_since, row.reason)


def find(tx: Tx, key: Key) -> Kept:
    row = tx.one(select(breakers).where(breakers.c.upstream == key[0], breakers.c.account == key[1]))
    return _kept(row) if row else Kept()


def lock(tx: Tx, key: Key) -> Kept:
    fresh = {"upstream": key[0], "account": key[1], "state": msgspec.to_builtins(CLOSED)}
    tx.upsert(breakers, [fresh], key=["upstream", "account"])
    row = tx.one(select(breakers).where(breakers.c.upstream == key[0], breakers.c.account == key[1]).with_for_update())
    assert row is not None  # noqa: S101 - inserted above
    return _kept(row)


def change(tx: Tx, key: Key, kept: Kept) -> None:
    values = {"state": msgspec.to_builtins(kept.state), "failing_since": kept.failing_since, "reason": kept.reason}
    tx.execute(update(breakers).where(breakers.c.upstream == key[0], breakers.c.account == key[1]).values(values))


def everything(tx: Tx) -> dict[Key, Kept]:
    return {(row.upstream, row.account): _kept(row) for row in tx.rows(select(breakers))}
