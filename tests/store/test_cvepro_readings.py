"""What readings make of the store: kept and compared, told and ended, sessions once each, the history in steps."""

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from atalaia.core.errors import Conflict
from atalaia.core.permissions import SYSTEM, Permission, Principal
from atalaia.integrations.cvepro.model.imports import ImportState
from atalaia.integrations.cvepro.queries import sessions
from atalaia.integrations.cvepro.queries.sessions import SessionFilter
from atalaia.integrations.cvepro.service.figures import Figures, figures
from atalaia.integrations.cvepro.service.prices import prices
from tests.conftest import MakeStore
from tests.fakes import FakeClock
from tests.store.cvepro_site import SLICE, Site, in_site

RESIDENT = Principal(
    id="r", kind="person", name="Zé", permissions=frozenset({Permission.OWN_ACCOUNT, Permission.DASHBOARDS_READ})
)
OVER: dict[str, Any] = {
    "id": 900_001,
    "connectorId": 1,
    "chargeBoxId": "CVE-001",
    "chargeBoxUuid": "7f3c0000-0000-4000-8000-000000000001",
    "startTimestamp": "15/01/2026 06:00:00",
    "stopTimestamp": "15/01/2026 08:00:00",
    "energy": 9000,
    "startValue": 1000,
    "stopValue": 10000,
    "userName": "Ana",
    "cost": 8.55,
}


async def totals(site: Site, **wanted: Any) -> Figures:
    conditions = SessionFilter(**wanted).conditions()
    return await site.host.read(lambda tx: figures(tx, prices(tx, ZoneInfo("UTC")), conditions)[()])


async def changed_at(site: Site) -> dict[str, int]:
    return dict(await site.host.read(lambda tx: tx.raw("SELECT key, changed_at FROM cvepro_chargers")))


async def kept(site: Site, id: str) -> Any:
    return (await site.host.read(lambda tx: sessions.some(tx, [id])))[id]


async def told(site: Site, *rows: dict[str, Any]) -> None:
    assert site.simulator.post("/_sim/transactions", list(rows)).status == 200
    await site.reading.sessions()


def test_an_outage_is_stale_at_once_told_after_a_while_and_over_with_the_next_reading(
    make_store: MakeStore, clock: FakeClock
) -> None:
    async def act(site: Site) -> None:
        await site.read()
        good = await site.dashboard()
        assert set(good) == {"success", "data"}
        site.fault(login_status=502, list_status=502)
        for seconds in (30, 60, 90, 120):
            clock.advance(30)
            await site.read()
            assert site.host.told == [], seconds
        bad = await site.dashboard()
        assert (bad["stale"], bad["staleSince"], bad["data"]) == (True, "2026-01-15T12:00:30.000Z", good["data"])
        assert "502" in bad["error"]
        clock.advance(30)
        await site.read()
        await site.read()
        assert site.host.told == ["feed:chargers"]
        site.fault()
        assert await site.read() is None
        assert site.host.faults == {}
        assert "stale" not in await site.dashboard()

    in_site(make_store(SLICE), clock, act)


def test_a_list_that_comes_empty_takes_nothing_away(make_store: MakeStore, clock: FakeClock) -> None:
    async def act(site: Site) -> None:
        await site.read()
        site.fault(empty=True)
        assert await site.read() is not None
        found = await site.dashboard()
        assert (len(found["data"]), found["stale"]) == (20, True)

    in_site(make_store(SLICE), clock, act)


def test_silent_and_faulted_chargers_are_told_once_and_end(make_store: MakeStore, clock: FakeClock) -> None:
    async def act(site: Site) -> None:
        site.fault(silent=["CVE-004"], faulted=["CVE-009"])
        for _ in range(3):
            await site.read()
        assert sorted(site.host.told) == ["faulted:CVE-009", "silent:CVE-004"]
        html = await site.page("/cvepro/cards")
        assert "No heartbeat" in html
        site.fault()
        await site.read()
        assert site.host.faults == {}

    in_site(make_store(SLICE), clock, act)


@pytest.mark.parametrize("offset_s", [-86_400, 86_400])
def test_a_clock_that_is_off_makes_nobody_silent(make_store: MakeStore, clock: FakeClock, offset_s: float) -> None:
    async def act(site: Site) -> None:
        site.fault(clock_offset_s=offset_s)
        assert await site.read() is None
        assert site.host.told == []
        html = await site.page("/cvepro/cards")
        assert "No heartbeat" not in html
        assert "clock differs" in html

    in_site(make_store(SLICE), clock, act)


def test_what_has_not_changed_is_not_written_again(make_store: MakeStore, clock: FakeClock) -> None:
    async def act(site: Site) -> None:
        await site.read()
        in_use = {each.charger.key for each in (await site.board.look()).shown if each.charger.status != "Available"}
        before = await changed_at(site)
        clock.advance(1)
        await site.read()
        after = await changed_at(site)
        # Of those in use the vendor counts the seconds; a heartbeat alone is no change.
        assert {key for key in before if before[key] != after[key]} <= in_use
        assert len(in_use) < 20

    in_site(make_store(SLICE), clock, act)


def test_a_session_is_kept_once_grows_and_is_marked_when_it_shrinks(make_store: MakeStore, clock: FakeClock) -> None:
    async def act(site: Site) -> None:
        await site.read()
        site.fault(duplicate=True)
        await told(site, OVER)
        before = await totals(site)
        await told(site, OVER)
        assert await totals(site) == before
        assert (await kept(site, "900001")).doubts == ()
        await told(site, {**OVER, "energy": 9500, "stopValue": 10500, "cost": 9.02})
        grown = await totals(site)
        assert (grown.count, grown.energy_mwh, grown.cost_micros) == (
            before.count,
            (before.energy_mwh or 0) + 500_000,
            (before.cost_micros or 0) + 470_000,
        )
        await told(site, {**OVER, "energy": 400, "stopValue": 1400, "cost": 0.38})
        shrunk = await kept(site, "900001")
        assert (shrunk.energy_mwh, shrunk.doubts) == (9_500_000, ("shrank",))
        assert (await totals(site, state="doubtful")).count == 1
        assert "doubtful" in await site.page("/cvepro/sessions")

    in_site(make_store(SLICE), clock, act)


def test_a_resident_sees_nobodys_name(make_store: MakeStore, clock: FakeClock) -> None:
    async def act(site: Site) -> None:
        await site.read()
        await site.reading.sessions()
        named = [item["usuarioAtual"] for item in (await site.dashboard())["data"] if item["usuarioAtual"]]
        assert named
        seen = str(await site.dashboard(RESIDENT)) + await site.page("/cvepro/cards", principal=RESIDENT)
        assert [name for name in named if name in seen] == []

    in_site(make_store(SLICE), clock, act)


def test_the_history_is_imported_in_steps_that_outlive_the_process(make_store: MakeStore, clock: FakeClock) -> None:
    async def act(site: Site) -> None:
        first = date(2025, 12, 20)
        await site.importing.begin(first, by=SYSTEM, client=None)
        with pytest.raises(Conflict):
            await site.importing.begin(first, by=SYSTEM, client=None)
        await site.importing.step()
        (one,) = await site.importing.newest()
        assert (one.state, one.next_day) == (ImportState.RUNNING, date(2025, 12, 27))
        again = Site(site.host, site.simulator)
        site.fault(list_status=502)
        await again.importing.step()
        (one,) = await again.importing.newest()
        assert (one.next_day, "502" in (one.error or "")) == (date(2025, 12, 27), True)
        site.fault()
        for _ in range(10):
            clock.advance(60)
            await again.importing.step()
        (one,) = await again.importing.newest()
        assert (one.state, one.error) == (ImportState.DONE, None)
        assert (await totals(site)).count == one.found > 300
        assert "Imported" in await site.page("/cvepro/history/rows")

    in_site(make_store(SLICE), clock, act)


def test_a_list_that_holds_fewer_than_it_says_is_asked_for_by_fewer_days(
    make_store: MakeStore, clock: FakeClock
) -> None:
    async def act(site: Site) -> None:
        site.fault(most=40)  # of a week there are some 150, of a day some 25
        await site.importing.begin(date(2025, 12, 20), by=SYSTEM, client=None)
        await site.importing.step()
        (one,) = await site.importing.newest()
        kept = (await totals(site)).count
        assert one.found == kept > 100
        site.fault()
        await site.reading.sessions()
        site.fault(most=40)
        await site.reading.sessions()
        assert site.host.told == []
        whole = await totals(site)
        site.fault(most=5)
        await site.reading.sessions()
        assert site.host.told == ["shape:transaction.count"]
        assert (await totals(site)).count == whole.count
        site.fault()
        await site.reading.sessions()
        assert site.host.faults == {}

    in_site(make_store(SLICE), clock, act)


def test_chargers_that_the_list_leaves_out_are_told(make_store: MakeStore, clock: FakeClock) -> None:
    async def act(site: Site) -> None:
        site.fault(most=7)
        assert await site.read() is None
        assert site.host.told == ["shape:count"]
        site.host.settings["absent_fields"] = ["count"]
        assert await site.read() is None
        assert site.host.faults == {}

    in_site(make_store(SLICE), clock, act)


def test_pages_of_sessions_are_whole_and_hold_each_once(make_store: MakeStore, clock: FakeClock) -> None:
    async def act(site: Site) -> None:
        await site.read()
        await site.reading.sessions()

        async def page(after: str | None) -> list[str]:
            found = await site.host.read(lambda tx: sessions.page(tx, SessionFilter(), limit=20, after=after))
            return [each.id for each in found]

        seen: list[str] = []
        while len(found := await page(seen[-1] if seen else None)) > 20:
            seen += found[:20]
        seen += found
        assert len(seen) == len(set(seen)) == (await totals(site)).count

    in_site(make_store(SLICE), clock, act)


def test_why_the_cloud_can_not_be_read_is_told_in_the_readers_language_and_not_to_residents(
    make_store: MakeStore, clock: FakeClock
) -> None:
    async def act(site: Site) -> None:
        await site.read()
        site.fault(rename={"chargePointList": "chargeBoxes"})
        for _ in range(2):
            await site.read()
        assert "The answer has no chargePointList any more." in await site.page("/cvepro")
        page = await site.page("/cvepro", locale="pt-BR")
        assert "A resposta não traz mais chargePointList." in page
        assert "The answer has no" not in page
        told, residents = await site.dashboard(), await site.dashboard(RESIDENT)
        assert (told["stale"], told["error"]) == (True, "The answer has no chargePointList any more.")
        # The vendor's own words are for who sees names.
        assert (residents["stale"], residents["error"]) == (True, "The chargers' cloud can't be read.")

    in_site(make_store(SLICE), clock, act)
