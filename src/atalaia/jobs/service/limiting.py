"""Limits, as they are set."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from atalaia.access.audit import record
from atalaia.core.errors import InvalidField, NotFound
from atalaia.core.translations import N_
from atalaia.jobs.model.wire import Name
from atalaia.jobs.queries import limits as queries
from atalaia.jobs.queries.limits import LimitRow
from atalaia.jobs.service.control import Actor
from atalaia.jobs.service.creating import check_text
from atalaia.jobs.service.limits import TOPIC, Limits
from atalaia.sdk.transaction import Tx
from atalaia.store.store import Store

Count = Annotated[int, Meta(ge=0, le=1_000_000)]


class LimitIn(msgspec.Struct, frozen=True, kw_only=True):
    """`rate` leases in each `period_s`; `max_leased` at once. 0 pauses the queue or type."""

    scope: Literal["queue", "type"]
    name: Name
    max_leased: Count | None = None
    rate: Count | None = None
    period_s: Annotated[int, Meta(ge=1, le=86_400)] = 60


class LimitOut(msgspec.Struct, frozen=True):
    scope: str
    name: str
    max_leased: int | None
    rate: int | None
    period_s: int


class Limiting:
    def __init__(self, store: Store, limits: Limits) -> None:
        self._store = store
        self._limits = limits

    async def all(self) -> list[LimitOut]:
        return [_out(row) for row in await self._store.read(queries.all_of_them)]

    async def put(self, limit: LimitIn, actor: Actor) -> LimitOut:
        """Raises InvalidField."""
        if limit.max_leased is None and limit.rate is None:
            raise InvalidField("max_leased", N_("say max_leased or rate"))
        check_text(name=limit.name)
        row = LimitRow(limit.scope, limit.name, limit.max_leased, limit.rate, limit.period_s, 0, 0)
        await self._store.write(lambda tx: self._put(tx, row, actor))
        return _out(row)

    async def drop(self, scope: str, name: str, actor: Actor) -> None:
        """Raises NotFound."""
        await self._store.write(lambda tx: self._drop(tx, scope, name, actor))

    def _put(self, tx: Tx, row: LimitRow, actor: Actor) -> None:
        queries.put(tx, row)
        self._changed(tx, "job_limit.set", row.scope, row.name, actor)

    def _drop(self, tx: Tx, scope: str, name: str, actor: Actor) -> None:
        if not queries.drop(tx, scope, name):
            raise NotFound(N_("there is no such limit"))
        self._changed(tx, "job_limit.dropped", scope, name, actor)

    def _changed(self, tx: Tx, action: str, scope: str, name: str, actor: Actor) -> None:
        record(tx, actor.principal, action, f"{scope}:{name}", address=actor.address)
        has_any = bool(queries.all_of_them(tx))
        tx.after_commit(lambda: setattr(self._limits, "has_any", has_any))
        tx.publish(TOPIC)


def _out(row: LimitRow) -> LimitOut:
    return LimitOut(row.scope, row.name, row.max_leased, row.rate, row.period_s)
