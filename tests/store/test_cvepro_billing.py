"""Statements and usage: equal to another computation to the last mWh and cent, before sessions are priced and after."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from atalaia.core.errors import Conflict, InvalidField, NotFound
from atalaia.core.ids import new_id
from atalaia.core.permissions import SYSTEM
from atalaia.integrations.cvepro.manifest import SETTINGS
from atalaia.integrations.cvepro.model.meters import Reading
from atalaia.integrations.cvepro.model.months import Month
from atalaia.integrations.cvepro.model.residents import Resident, Tag
from atalaia.integrations.cvepro.model.sessions import Session
from atalaia.integrations.cvepro.model.statement import Statement
from atalaia.integrations.cvepro.model.tariffs import Terms
from atalaia.integrations.cvepro.queries import register, sessions, transactions
from atalaia.integrations.cvepro.service import billing, usage
from atalaia.integrations.cvepro.service.prices import prices
from atalaia.integrations.cvepro.service.repricing import Repricing
from atalaia.integrations.cvepro.service.tariffs import Tariffs
from atalaia.integrations.cvepro.service.usage import By, Days
from tests.charging_ledger import Charge, Ledger
from tests.conftest import MakeStore
from tests.contract.integrations.bench import values_of
from tests.fakes import FakeClock
from tests.store.cvepro_site import SLICE, SiteHost

ZONE = ZoneInfo("America/Sao_Paulo")
PEAK = {"name": "Ponta", "days": [1, 2, 3, 4, 5], "from": "18:00", "until": "21:00", "price_micros": 1_853_217}
NIGHT = {"name": "Madrugada", "days": [1, 2, 3, 4, 5, 6, 7], "from": "23:00", "until": "06:00", "price_micros": 651_113}
OLD = {"first_day": "2025-12-10", "terms": {"price_micros": 912_345, "bands": [PEAK, NIGHT]}}
NEW = {
    "first_day": "2026-01-09",
    "terms": {
        "price_micros": 1_000_001,
        "bands": [PEAK],
        "session_fee_micros": 990_000,
        "idle_fee_micros": 123_456,
        "idle_grace_min": 10,
        "monthly_fee_micros": 25_000_000,
    },
}
FLATS = ("9", "10", "101 A", None)
AMENDED = 7


def made(seed: int, count: int = 90) -> list[Session]:
    """In December and January; some are under way, some without energy, some odd."""
    chance = random.Random(seed)
    found = []
    for number in range(count):
        started = datetime(2025, 12, 1, 3, tzinfo=UTC) + timedelta(seconds=chance.randrange(45 * 86400))
        lasts = chance.randrange(-60, 5 * 3600)
        is_active = chance.random() < 0.03
        found.append(
            Session(
                id=str(number),
                box_id=chance.choice(["CVE-1", "CVE-2", "CVE-3"]),
                flat=chance.choice(FLATS),
                tag=chance.choice([None, "04:a2", "ff"]),
                started_at=started,
                stopped_at=None if is_active else started + timedelta(seconds=lasts),
                energy_mwh=None if is_active or chance.random() < 0.03 else chance.randrange(0, 60_000_000),
                idle_s=chance.choice([None, 0.0, 599.5, 660.0, float(chance.randrange(20_000))]),
                cost_micros=chance.choice([None, 12_345_678, 5_000, -15_000]),
                doubts=("shrank",) if chance.random() < 0.05 else (),
            )
        )
    return found


def charge_of(one: Session) -> Charge:
    assert one.started_at is not None
    assert one.stopped_at is not None
    return Charge(one.started_at, one.stopped_at, one.energy_mwh or 0, one.idle_s or 0.0, one.cost_micros)


_ledger = cache(lambda known: Ledger([OLD, NEW][:known], ZONE))
_KNOWN: dict[tuple[Session, int], int | None] = {}


def cents_of(one: Session, tariffs: Sequence[dict[str, Any]]) -> int | None:
    """None: under way, or nobody can say."""
    if (one, len(tariffs)) not in _KNOWN:
        _KNOWN[one, len(tariffs)] = _cents_of(one, tariffs)
    return _KNOWN[one, len(tariffs)]


def _cents_of(one: Session, tariffs: Sequence[dict[str, Any]]) -> int | None:
    if one.stopped_at is None or one.started_at is None:
        return None
    day = one.started_at.astimezone(ZONE).date()
    is_ours = any(date.fromisoformat(each["first_day"]) <= day for each in tariffs)
    return None if is_ours and one.energy_mwh is None else _ledger(len(tariffs)).cost_cents(charge_of(one))


def month_of(one: Session) -> str:
    assert one.started_at is not None
    return f"{one.started_at.astimezone(ZONE):%Y-%m}"


def flat_of(one: Session) -> str | None:
    return "101 B" if one.tag == "04:a2" else one.flat


class Site:
    def __init__(self, host: Any) -> None:
        self.host: SiteHost = host
        self.tariffs = Tariffs(host)
        self.repricing = Repricing(host)

    async def keep(self, found: Sequence[Session]) -> None:
        now = self.host.clock.now()
        await self.host.write(lambda tx: sessions.add(tx, found, now=now))

    async def add(self, body: dict[str, Any]) -> str:
        terms = msgspec.convert(body["terms"], Terms)
        added = await self.tariffs.add(date.fromisoformat(body["first_day"]), terms, by=SYSTEM, client=None)
        return added.id

    async def holder(self) -> None:
        now = self.host.clock.now()
        someone = Resident(id=new_id(), name="Ana", flat="101 B", created_at=now, changed_at=now)
        tag = Tag(id=new_id(), tag="04A2", resident_id=someone.id)

        def unit(tx: Any) -> None:
            register.add(tx, someone)
            register.add_tags(tx, [tag])

        await self.host.write(unit)

    async def change(self, one: Session) -> None:
        await self.host.write(lambda tx: sessions.change(tx, one, now=self.host.clock.now()))

    async def stated(self, month: Month) -> Statement:
        return await self.host.read(lambda tx: billing.statement(tx, month, ZONE))

    async def used(self, by: By, days: Days) -> dict[str | None, tuple[int, int, int | None]]:
        rows = await self.host.read(lambda tx: usage.used(tx, prices(tx, ZONE), days, by))
        return {row.key: (row.figures.count, row.figures.energy_mwh or 0, row.figures.cost_micros) for row in rows}


def in_site(make_store: MakeStore, clock: FakeClock, act: Callable[[Site], Awaitable[None]]) -> None:
    async def main() -> None:
        host = SiteHost(make_store(SLICE), clock, values_of(SETTINGS, {}))
        try:
            await act(Site(host))
        finally:
            await host.http.aclose()

    asyncio.run(main())


def expected(
    found: Sequence[Session], tariffs: Sequence[dict[str, Any]], key: Callable[[Session], str | None]
) -> dict[str | None, tuple[int, int, int | None]]:
    sums: dict[str | None, tuple[int, int, int | None]] = {}
    for one in found:
        count, energy, cost = sums.get(key(one), (0, 0, None))
        cents = cents_of(one, tariffs)
        more = cost if cents is None else (cost or 0) + cents * 10_000
        sums[key(one)] = (count + 1, energy + (one.energy_mwh or 0), more)
    return sums


SPAN = Days(date(2025, 12, 1), date(2026, 1, 31), ZONE)


async def is_right(site: Site, found: Sequence[Session], tariffs: Sequence[dict[str, Any]]) -> None:
    assert await site.used(By.MONTH, SPAN) == expected(found, tariffs, month_of)
    assert await site.used(By.FLAT, SPAN) == expected(found, tariffs, flat_of)
    assert await site.used(By.CHARGER, SPAN) == expected(found, tariffs, lambda one: one.box_id)
    for month in (Month(2025, 12), Month(2026, 1)):
        stated = await site.stated(month)
        own = [one for one in found if month_of(one) == str(month)]
        ended = {one.id: one for one in own if one.stopped_at}
        lines = [line for flat in stated.flats for line in flat.lines]
        assert {line.id: (line.flat, line.energy_mwh, line.cost_micros) for line in lines} == {
            id_: (flat_of(one), one.energy_mwh, None if (cents := cents_of(one, tariffs)) is None else cents * 10_000)
            for id_, one in ended.items()
        }
        assert {line.id for line in stated.under_way} == {one.id for one in own if one.stopped_at is None}
        for flat in stated.flats:
            assert flat.sums.energy_mwh == sum(line.energy_mwh or 0 for line in flat.lines)
            assert flat.sums.sessions_micros == sum(line.cost_micros or 0 for line in flat.lines)
        assert stated.sums.total_micros == sum(flat.sums.total_micros for flat in stated.flats)
        for line in lines:
            if line.parts:
                assert sum(part.cost_micros for part in line.parts) == line.cost_micros
                assert sum(part.energy_mwh for part in line.parts) == line.energy_mwh


@pytest.mark.parametrize("seed", [1, 2])
def test_figures_are_those_of_another_computation_through_all_that_changes(
    make_store: MakeStore, clock: FakeClock, seed: int
) -> None:
    async def act(site: Site) -> None:
        found = made(seed)
        await site.keep(found)
        await site.holder()
        await is_right(site, found, [])
        await site.add(OLD)
        await is_right(site, found, [OLD])
        await site.repricing.run()
        await is_right(site, found, [OLD])
        newer = await site.add(NEW)
        await is_right(site, found, [OLD, NEW])
        await site.repricing.run()
        await is_right(site, found, [OLD, NEW])
        # Corrected, and ended by now: priced anew.
        clock.advance(60)
        later = [
            msgspec.structs.replace(
                one, energy_mwh=31_234_567, stopped_at=(one.started_at or clock.now()) + timedelta(hours=3)
            )
            if index % AMENDED == 0
            else one
            for index, one in enumerate(found)
        ]
        for one in later:
            await site.change(one)
        await is_right(site, later, [OLD, NEW])
        await site.repricing.run()
        await is_right(site, later, [OLD, NEW])
        await site.tariffs.drop(newer, by=SYSTEM, client=None)
        await is_right(site, later, [OLD])
        await site.repricing.run()
        await is_right(site, later, [OLD])

    in_site(make_store, clock, act)


def test_what_is_priced_is_kept_and_read_as_it_was(make_store: MakeStore, clock: FakeClock) -> None:
    async def act(site: Site) -> None:
        await site.keep(made(3))
        await site.add(OLD)
        month = Month(2025, 12)
        before = await site.stated(month)
        await site.repricing.run()
        assert await site.stated(month) == before
        stale = (
            "SELECT count(*) FROM cvepro_sessions WHERE priced_by IS NULL AND stopped_at IS NOT NULL AND sort_at >= ?"
        )
        since = int(datetime(2025, 12, 10, 3, tzinfo=UTC).timestamp() * 1000)
        assert await site.host.read(lambda tx: tx.raw(stale, [since])) == [(0,)]

    in_site(make_store, clock, act)


def test_a_flat_with_a_tag_owes_the_monthly_fee_also_without_a_session(make_store: MakeStore, clock: FakeClock) -> None:
    async def act(site: Site) -> None:
        await site.holder()
        await site.add({**NEW, "first_day": "2025-12-01"})
        stated = await site.stated(Month(2025, 12))
        (flat,) = stated.flats
        assert (flat.flat, flat.residents, flat.lines, flat.sums.total_micros) == ("101 B", ("Ana",), (), 25_000_000)

    in_site(make_store, clock, act)


def test_a_tariff_that_a_month_which_is_over_went_by_stays(make_store: MakeStore, clock: FakeClock) -> None:
    async def act(site: Site) -> None:
        ended = Session(
            id="1",
            started_at=datetime(2025, 12, 20, 12, tzinfo=UTC),
            stopped_at=datetime(2025, 12, 20, 14, tzinfo=UTC),
            energy_mwh=10_000_000,
        )
        await site.keep([ended])
        used = await site.add({**OLD, "first_day": "2025-12-01"})
        with pytest.raises(Conflict, match="2025-12 is over"):
            await site.tariffs.drop(used, by=SYSTEM, client=None)
        with pytest.raises(Conflict, match="2025-12 is over"):
            await site.add({**NEW, "first_day": "2025-12-15"})
        with pytest.raises(InvalidField):
            await site.add({**NEW, "first_day": "2025-12-01"})
        ahead = await site.add({**NEW, "first_day": "2026-02-01"})
        present = await site.add(NEW)
        shown = await site.tariffs.all()
        assert [(each.tariff.id, each.is_in_force, each.is_ahead, each.last_day) for each in shown] == [
            (ahead, False, True, None),
            (present, True, False, date(2026, 1, 31)),
            (used, False, False, date(2026, 1, 8)),
        ]
        for each in (ahead, present):
            await site.tariffs.drop(each, by=SYSTEM, client=None)
        with pytest.raises(NotFound):
            await site.tariffs.drop(ahead, by=SYSTEM, client=None)
        assert site.host.audited == ["cvepro.tariff_added"] * 3 + ["cvepro.tariff_deleted"] * 2

    in_site(make_store, clock, act)


def test_what_a_charge_point_measured_on_the_way_says_which_band_it_went_by(
    make_store: MakeStore, clock: FakeClock
) -> None:
    """Two hours across 23:00: nearly all of it went through before, whatever the time; also once the readings are thinned."""
    started = datetime(2025, 12, 21, 1, tzinfo=UTC)
    one = Session(
        id="ocpp-1",
        started_at=started,
        stopped_at=started + timedelta(hours=2),
        energy_mwh=10_000_000,
        start_mwh=500,
        stop_mwh=10_000_500,
    )
    read = Reading(at=started + timedelta(hours=1), energy_mwh=9_000_500)

    async def parts(site: Site) -> dict[str, int]:
        (flat,) = (await site.stated(Month(2025, 12))).flats
        return {part.name: part.energy_mwh for part in flat.lines[0].parts}

    async def act(site: Site) -> None:
        await site.keep([one])
        await site.add(OLD)
        assert await parts(site) == {"": 5_000_000, "Madrugada": 5_000_000}
        await site.host.write(lambda tx: transactions.keep_readings(tx, 1, [read]))
        assert await parts(site) == {"": 9_000_000, "Madrugada": 1_000_000}
        await site.repricing.run()
        late = clock.now() + timedelta(days=9)
        await site.host.write(lambda tx: transactions.thin(tx, since=None, before=late, every=timedelta(days=1)))
        assert await parts(site) == {"": 9_000_000, "Madrugada": 1_000_000}

    in_site(make_store, clock, act)
