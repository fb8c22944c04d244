"""All tariffs in a zone, and what a session costs by them: priced once and kept with it, or priced here and now."""

from collections.abc import Sequence
from datetime import datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from atalaia.integrations.cvepro.model.pricing import Charged, Part, Price, PriceList, Readings, half_up
from atalaia.integrations.cvepro.model.tariffs import Tariff, begins_at
from atalaia.integrations.cvepro.model.transactions import number_of
from atalaia.integrations.cvepro.queries import costs, tariffs, transactions
from atalaia.integrations.cvepro.queries.costs import Kept, Span
from atalaia.sdk.transaction import Tx


class Prices:
    """`begun`: each tariff with its first instant, in their order."""

    def __init__(self, found: Sequence[Tariff], zone: ZoneInfo) -> None:
        self.zone = zone
        self.begun = [(begins_at(each, zone), each) for each in found]
        self._lists: dict[str, PriceList] = {}

    @cached_property
    def spans(self) -> list[Span]:
        ends: list[datetime | None] = [since for since, _ in self.begun[1:]]
        pairs = zip(self.begun, [*ends, None], strict=False)
        return [Span(self.key(tariff), since, until) for (since, tariff), until in pairs]

    def key(self, tariff: Tariff) -> str:
        """What a session was priced by: another zone has other bands."""
        return f"{tariff.id}@{self.zone.key}"

    def tariff_at(self, at: datetime) -> Tariff | None:
        return next((tariff for since, tariff in reversed(self.begun) if since <= at), None)

    def of_row(self, tx: Tx, row: Any) -> tuple[Price | None, Tariff | None]:
        """Of a row of `queries.lines` that has ended; None: nobody can say, or it is under way."""
        if row.stopped_at is not None and costs.is_priced(row, self.spans):
            return kept_price(row), self.tariff_at(row.started_at)
        return self.cost(row, readings=readings_of(tx, row.id) if self.begun else ())

    def of_session(self, tx: Tx, session: Any) -> int | None:
        """In micros, of one that has ended."""
        price, _ = self.cost(session, readings=readings_of(tx, session.id) if self.begun else ())
        return None if price is None else price.cost_micros

    def cost(
        self, session: Any, *, until: datetime | None = None, readings: Readings = ()
    ) -> tuple[Price | None, Tariff | None]:
        """Of a session or a row of one, or as if it ended at `until`; None: nobody can say."""
        stopped_at, energy = session.stopped_at or until, session.energy_mwh
        if stopped_at is None:
            return None, None
        tariff = self.tariff_at(session.started_at) if session.started_at else None
        if tariff is None:
            told = session.cost_micros
            return (None if told is None else Price(cost_micros=half_up(told))), None
        if energy is None:
            return None, tariff
        charged = Charged(
            started_at=session.started_at,
            stopped_at=stopped_at,
            energy_mwh=energy,
            idle_s=session.idle_s or 0.0,
            start_mwh=session.start_mwh,
            stop_mwh=session.stop_mwh,
        )
        return self._list(tariff).price(charged, readings), tariff

    def _list(self, tariff: Tariff) -> PriceList:
        if tariff.id not in self._lists:
            self._lists[tariff.id] = PriceList(tariff.terms, self.zone)
        return self._lists[tariff.id]


def prices(tx: Tx, zone: ZoneInfo) -> Prices:
    return Prices(tariffs.all_of_them(tx), zone)


def readings_of(tx: Tx, session_id: str) -> Readings:
    """The meter on the way, of a session that a charge point told itself."""
    number = number_of(session_id)
    found = transactions.readings(tx, number) if number is not None else ()
    return [(each.at, each.energy_mwh) for each in found if each.energy_mwh is not None]


def kept_of(tx: Tx, rows: Sequence[Any], priced: Prices) -> list[Kept]:
    """What is to be kept of rows of `queries.costs` that are stale."""
    kept = []
    for row in rows:
        price, tariff = priced.cost(row, readings=readings_of(tx, row.id))
        if tariff is not None:
            parts = None if price is None else [msgspec.structs.astuple(part) for part in price.parts]
            cost = None if price is None else price.cost_micros
            kept.append(Kept(row.id, row.changed_at, priced.key(tariff), cost, parts))
    return kept


def kept_price(row: Any) -> Price | None:
    if row.priced_micros is None:
        return None
    names = Part.__struct_fields__
    parts = tuple(Part(**dict(zip(names, each, strict=True))) for each in row.priced_parts or ())
    return Price(cost_micros=row.priced_micros, parts=parts)
