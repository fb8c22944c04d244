"""What sessions cost and months come to: by our tariff in force at the start, else what the vendor says."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from atalaia.core import formats
from atalaia.integrations.cvepro.model.months import Month
from atalaia.integrations.cvepro.model.pricing import Price
from atalaia.integrations.cvepro.model.sessions import Session
from atalaia.integrations.cvepro.model.statement import FlatStatement, SessionLine, Statement, Sums, flat_order, sums_of
from atalaia.integrations.cvepro.model.tariffs import Tariff
from atalaia.integrations.cvepro.queries import chargers, lines
from atalaia.integrations.cvepro.service.prices import Prices, prices, readings_of
from atalaia.sdk.integration import Host
from atalaia.sdk.transaction import Tx


def zone_of(host: Host) -> ZoneInfo:
    """The condominium's, by which it is billed, whoever looks."""
    return formats.zone(str(host.setting("timezone")))


def session_cost(tx: Tx, session: Session, zone: ZoneInfo, *, until: datetime | None = None) -> Price | None:
    """Of one that has ended; `until`: of one that is under way, so far. None: it can't be told."""
    found = session
    if until is not None and session.is_active and session.energy_mwh is None:
        found = _so_far(session)
    return prices(tx, zone).cost(found, until=until, readings=readings_of(tx, session.id))[0]


def _so_far(session: Session) -> Session:
    return replace(session, energy_mwh=session.so_far_mwh)


def statement(tx: Tx, month: Month, zone: ZoneInfo, *, priced: Prices | None = None) -> Statement:
    """All of a month, by flat; `priced`: by other tariffs than ours."""
    since, until = month.since(zone), month.until(zone)
    priced = priced or prices(tx, zone)
    found = session_lines(tx, lines.between(tx, since, until), priced)
    residents: dict[str, list[str]] = {}
    for flat, name in lines.flats_with_tags(tx, since, until):
        residents.setdefault(flat, []).append(name)
    in_force = priced.tariff_at(since)
    fee = in_force.terms.monthly_fee_micros if in_force else 0
    flats = _by_flat((line for line in found if line.stopped_at is not None), residents, fee=fee)
    return Statement(
        month=month,
        zone=zone.key,
        since=since,
        until=until,
        flats=flats,
        under_way=tuple(line for line in found if line.stopped_at is None),
        tariffs=_in_month(priced, since, until),
        sums=sum((each.sums for each in flats), Sums()),
    )


def _in_month(priced: Prices, since: datetime, until: datetime) -> tuple[Tariff, ...]:
    first = priced.tariff_at(since)
    return tuple(each for at, each in priced.begun if each is first or since < at < until)


def _by_flat(
    ended: Iterable[SessionLine], residents: Mapping[str, Sequence[str]], *, fee: int
) -> tuple[FlatStatement, ...]:
    """Those with residents who have a tag too, where there is a fee for them; the unknown one last."""
    grouped: dict[str | None, list[SessionLine]] = {flat: [] for flat in residents} if fee else {}
    for line in ended:
        grouped.setdefault(line.flat, []).append(line)
    found = []
    for flat in sorted(grouped, key=flat_order):
        own = tuple(grouped[flat])
        names = [] if flat is None else [*residents.get(flat, ()), *(line.resident for line in own if line.resident)]
        sums = sums_of(own, monthly_fee_micros=fee if flat is not None else 0)
        found.append(FlatStatement(flat=flat, residents=tuple(dict.fromkeys(names)), lines=own, sums=sums))
    return tuple(found)


def session_lines(tx: Tx, rows: Iterable[Any], priced: Prices) -> list[SessionLine]:
    """Of rows of `queries.lines`."""
    names = {id_: each.name for each in chargers.all_of_them(tx) for id_ in (each.uuid, each.box_id) if id_}
    return [_line(row, names, priced.of_row(tx, row)) for row in rows]


def _line(row: Any, names: Mapping[str, str], priced: tuple[Price | None, Tariff | None]) -> SessionLine:
    price, tariff = priced
    called = row.box_id or row.charger_uuid or ""
    return SessionLine(
        id=row.id,
        began_at=row.sort_at,
        started_at=row.started_at,
        stopped_at=row.stopped_at,
        box_id=row.box_id,
        charger=names.get(called, called),
        connector=row.connector,
        flat=row.of_flat,
        resident_id=row.resident_id,
        resident=row.resident,
        user_name=row.user_name,
        tag=row.tag,
        energy_mwh=row.energy_mwh,
        idle_s=row.idle_s,
        cost_micros=price.cost_micros if price else None,
        parts=price.parts if price else (),
        tariff_id=tariff.id if tariff else None,
        doubts=tuple(row.doubts),
    )
