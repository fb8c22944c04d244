"""Tariffs: begun from a day on, and taken back as long as no month that is over went by them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from atalaia.core.errors import Conflict, InvalidField, NotFound
from atalaia.core.ids import new_id
from atalaia.core.permissions import Principal
from atalaia.core.translations import N_
from atalaia.integrations.cvepro.model.months import Month, midnight, month_of
from atalaia.integrations.cvepro.model.statement import Statement
from atalaia.integrations.cvepro.model.tariffs import Tariff, Terms, read_terms
from atalaia.integrations.cvepro.queries import lines
from atalaia.integrations.cvepro.queries import tariffs as queries
from atalaia.integrations.cvepro.service.billing import statement, zone_of
from atalaia.integrations.cvepro.service.prices import Prices
from atalaia.sdk.integration import Host
from atalaia.sdk.transaction import Tx

TOPIC = "cvepro_tariffs"
_FIRST = date(2000, 1, 1)
_LAST = date(2100, 1, 1)
_MOST = 200


@dataclass(frozen=True, slots=True)
class Standing:
    """A tariff with its last day (none: until further notice), and the month for which it must stay."""

    tariff: Tariff
    last_day: date | None
    is_in_force: bool
    is_ahead: bool
    kept_for: Month | None


@dataclass(frozen=True, slots=True)
class Compared:
    """A month that is over as it was, and under other terms throughout."""

    present: Statement
    proposed: Statement


class Tariffs:
    def __init__(self, host: Host) -> None:
        self._host = host

    async def all(self) -> list[Standing]:
        """The newest first."""
        now, zone = self._host.clock.now(), zone_of(self._host)
        return await self._host.read(lambda tx: standings(tx, now=now, zone=zone))

    async def add(self, first_day: date, terms: Terms, *, by: Principal, client: str | None) -> Tariff:
        """Raises: InvalidField, Conflict: that day is of a month that is over and went by another tariff."""
        now, zone = self._host.clock.now(), zone_of(self._host)
        terms = read_terms(terms)
        if not _FIRST <= first_day <= _LAST:
            raise InvalidField("first_day", N_("a day as 2026-01-31"))

        def unit(tx: Tx) -> Tariff:
            found = queries.all_of_them(tx)
            _check_new(tx, first_day, found, now=now, zone=zone)
            new = Tariff(id=new_id(), first_day=first_day, terms=terms, created_by=by.name, created_at=now)
            queries.add(tx, new)
            day = first_day.isoformat()
            self._host.audit(tx, by=by, action="cvepro.tariff_added", target=new.id, client=client, first_day=day)
            tx.publish(TOPIC)
            return new

        return await self._host.write(unit)

    async def drop(self, id: str, *, by: Principal, client: str | None) -> None:
        """Raises: NotFound, Conflict: a month that is over went by it."""
        now, zone = self._host.clock.now(), zone_of(self._host)

        def unit(tx: Tx) -> None:
            found = next((each for each in standings(tx, now=now, zone=zone) if each.tariff.id == id), None)
            if found is None:
                raise NotFound(N_("There is no such tariff."))
            if found.kept_for is not None:
                raise Conflict(
                    N_("{month} is over and went by this tariff: it stays."),
                    hint=N_("Make a new one from a day on instead."),
                    month=str(found.kept_for),
                )
            queries.drop(tx, id)
            day = found.tariff.first_day.isoformat()
            self._host.audit(tx, by=by, action="cvepro.tariff_deleted", target=id, client=client, first_day=day)
            tx.publish(TOPIC)

        await self._host.write(unit)

    async def compare(self, terms: Terms) -> Compared:
        """Last month as it was, and as it would have been. Raises: InvalidField."""
        zone = zone_of(self._host)
        month = month_of(self._host.clock.now(), zone).moved(-1)
        terms = read_terms(terms)
        made = Tariff(
            id="",
            first_day=month.first_day,
            terms=terms,
            created_by="",
            created_at=self._host.clock.now(),
        )

        def unit(tx: Tx) -> Compared:
            return Compared(statement(tx, month, zone), statement(tx, month, zone, priced=Prices([made], zone)))

        return await self._host.read(unit)


def standings(tx: Tx, *, now: datetime, zone: ZoneInfo) -> list[Standing]:
    found = queries.all_of_them(tx)
    today = now.astimezone(zone).date()
    made = []
    for index, each in enumerate(found):
        later = found[index + 1].first_day if index + 1 < len(found) else None
        last = later - timedelta(days=1) if later else None
        in_force = each.first_day <= today and (last is None or today <= last)
        made.append(
            Standing(each, last, in_force, each.first_day > today, _kept_for(tx, each, later, now=now, zone=zone))
        )
    return made[::-1]


def _check_new(tx: Tx, first_day: date, found: Sequence[Tariff], *, now: datetime, zone: ZoneInfo) -> None:
    """Raises: InvalidField, Conflict."""
    if any(each.first_day == first_day for each in found):
        raise InvalidField("first_day", N_("There is a tariff from this day on already."))
    if len(found) >= _MOST:
        raise InvalidField("first_day", N_("at most {most} tariffs"), most=_MOST)
    before = [each for each in found if each.first_day < first_day]
    later = next((each.first_day for each in found if each.first_day > first_day), None)
    if before and (month := _used(tx, first_day, later, now=now, zone=zone)) is not None:
        raise Conflict(
            N_("{month} is over and went by the tariff of {day}: no other can begin within it."),
            month=str(month),
            day=before[-1].first_day.isoformat(),
        )


def _kept_for(tx: Tx, tariff: Tariff, later: date | None, *, now: datetime, zone: ZoneInfo) -> Month | None:
    fee = tariff.terms.monthly_fee_micros > 0
    return _used(tx, tariff.first_day, later, now=now, zone=zone, has_fee=fee)


def _used(
    tx: Tx, first: date, later: date | None, *, now: datetime, zone: ZoneInfo, has_fee: bool = False
) -> Month | None:
    """The last month that is over in which there is something to pay by a tariff of these days."""
    over = month_of(now, zone).since(zone)
    since = midnight(first, zone)
    until = min(over, midnight(later, zone)) if later else over
    if since >= until:
        return None
    at = lines.last_start(tx, since, until)
    if at is not None:
        return month_of(at, zone)
    month = month_of(until - timedelta(microseconds=1), zone)
    is_asked_for = has_fee and first <= month.first_day and lines.flats_with_tags(tx, month.since(zone), until)
    return month if is_asked_for else None
