"""A charger that reports to the vendor and to us: its sessions are found to be the same, and counted once. On both engines."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from atalaia.core.errors import NotFound
from atalaia.core.permissions import SYSTEM
from atalaia.integrations.cvepro import integration
from atalaia.integrations.cvepro.model.chargers import Charger, Connector
from atalaia.integrations.cvepro.model.meters import Reading
from atalaia.integrations.cvepro.model.months import Month
from atalaia.integrations.cvepro.model.sessions import Session
from atalaia.integrations.cvepro.ocpp.book import Book
from atalaia.integrations.cvepro.queries import sessions, usage
from atalaia.integrations.cvepro.queries.sessions import ASIDE, SessionFilter
from atalaia.integrations.cvepro.service import billing
from atalaia.integrations.cvepro.service.figures import Figures, figures
from atalaia.integrations.cvepro.service.keeping import keep_chargers, keep_sessions
from atalaia.integrations.cvepro.service.prices import prices
from atalaia.integrations.cvepro.service.twins import Twins
from atalaia.sdk.integration import Host
from atalaia.store.store import Store
from tests.conftest import MakeStore
from tests.contract.integrations.bench import values_of
from tests.fakes import FakeClock
from tests.store.cvepro_site import SLICE, SiteHost

BEGAN = datetime(2026, 1, 10, 18, tzinfo=UTC)
ENDED = BEGAN + timedelta(hours=2)
UTC_ZONE = ZoneInfo("UTC")
BOX, UUID = "CVE-1", "u-1"


@dataclass
class Garage:
    store: Store
    clock: FakeClock
    host: SiteHost
    book: Book
    twins: Twins

    def do(self, unit: Callable[..., Any]) -> Any:
        return self.store.write_now(unit)

    def tells(self, *found: Session) -> None:
        """The vendor's cloud."""
        self.do(lambda tx: keep_sessions(tx, found, now=self.clock.now()))

    def start(self, at: datetime = BEGAN, wh: int = 1000, *, connector: int = 1, tag: str = "T1") -> int:
        """The charger itself."""
        told = at.isoformat()
        number, _ = self.do(lambda tx: self.book.start(tx, BOX, connector, tag=tag, start_wh=wh, at=told))
        return cast("int", number)

    def stop(self, number: int, at: datetime = ENDED, wh: int = 9000, **more: Any) -> None:
        given = {"reason": "Local", "tag": None, "found": (), **more}
        self.do(lambda tx: self.book.stop(tx, BOX, number, stop_wh=wh, at=at.isoformat(), **given))

    def kept(self, **wanted: Any) -> list[Session]:
        return cast("list[Session]", self.do(lambda tx: sessions.page(tx, SessionFilter(**wanted), limit=50)))

    def ids(self, **wanted: Any) -> list[str]:
        return [each.id for each in self.kept(**wanted)]

    def sums(self) -> Figures:
        conditions = usage.within(BEGAN - timedelta(days=5), BEGAN + timedelta(days=5))
        return cast("Figures", self.do(lambda tx: figures(tx, prices(tx, UTC_ZONE), conditions)[()]))


@pytest.fixture
def garage(make_store: MakeStore, clock: FakeClock) -> Garage:
    store = make_store(SLICE)
    host = SiteHost(store, clock, dict(values_of(integration.manifest.settings, {})))
    plugs = tuple(Connector(pk=number, number=number, power_max_w=22_000) for number in ("1", "2"))
    charger = Charger(key=BOX, box_id=BOX, uuid=UUID, connectors=plugs)
    store.write_now(lambda tx: keep_chargers(tx, [charger], now=clock.now()))
    asked = cast("Host", host)
    return Garage(store, clock, host, Book(asked), Twins(asked))


def vendors(id: str = "77", **more: Any) -> Session:
    """As the cloud tells of it once it has ended."""
    given: dict[str, Any] = {
        "box_id": BOX,
        "charger_uuid": UUID,
        "connector": "1",
        "tag": "T1",
        "user_name": "Ana",
        "flat": "101",
        "started_at": BEGAN + timedelta(seconds=20),
        "stopped_at": ENDED + timedelta(seconds=15),
        "energy_mwh": 7_990_000,
        "cost_micros": 7_600_000,
        "idle_s": 60.0,
    }
    return Session(id=id, **{**given, **more})


def under_way(one: Session) -> Session:
    return replace(one, stopped_at=None, energy_mwh=None, cost_micros=None)


@pytest.mark.parametrize("first", ["charger", "vendor"])
def test_what_both_tell_of_is_one_session_by_the_chargers_meter_at_the_vendors_cost(garage: Garage, first: str) -> None:
    if first == "charger":
        number = garage.start()
        garage.tells(under_way(vendors()))
    else:
        garage.tells(under_way(vendors()))
        number = garage.start()
    (active,) = garage.do(sessions.active)
    assert (active.id, active.user_name) == (f"ocpp-{number}", "Ana")
    garage.stop(number)
    garage.tells(vendors())
    (kept,) = garage.kept()
    assert (kept.id, kept.energy_mwh, kept.cost_micros, kept.flat) == (f"ocpp-{number}", 8_000_000, 7_600_000, "101")
    (aside,) = garage.kept(state=ASIDE)
    assert (aside.id, aside.same_as, aside.energy_mwh) == ("77", kept.id, 7_990_000)
    sums = garage.sums()
    assert (sums.count, sums.energy_mwh, sums.cost_micros) == (1, 8_000_000, 7_600_000)
    statement = garage.do(lambda tx: billing.statement(tx, Month(2026, 1), UTC_ZONE))
    assert (statement.sums.sessions, statement.sums.energy_mwh) == (1, 8_000_000)
    (use,) = garage.do(lambda tx: usage.uses(tx, BEGAN - timedelta(days=1), BEGAN + timedelta(days=1)))
    assert use.started_at == BEGAN


def test_an_import_of_the_history_doubles_nothing(garage: Garage) -> None:
    garage.stop(garage.start())
    for _ in range(2):
        garage.tells(
            vendors(), vendors("78", started_at=BEGAN - timedelta(days=1), stopped_at=ENDED - timedelta(days=1))
        )
    assert garage.ids() == ["ocpp-1", "78"]


@pytest.mark.parametrize(
    "other",
    [
        {"connector": "2"},
        {"box_id": "CVE-2", "charger_uuid": "u-2"},
        {"started_at": BEGAN + timedelta(minutes=6)},
        {"tag": "T2", "started_at": BEGAN + timedelta(minutes=2)},
        {"started_at": BEGAN - timedelta(minutes=4), "stopped_at": BEGAN - timedelta(minutes=3)},
    ],
    ids=str,
)
def test_what_is_another_charging_stays_another(garage: Garage, other: dict[str, Any]) -> None:
    garage.stop(garage.start())
    garage.tells(vendors(**other))
    assert sorted(garage.ids()) == ["77", "ocpp-1"]


@pytest.mark.parametrize(
    "told",
    [
        {"tag": None},
        {"tag": "t-1", "started_at": BEGAN + timedelta(minutes=4)},
        {"tag": "T2"},  # begun within a minute, at one connector: the vendor has another word for the tag
        {"connector": None},
        {"box_id": None},
        {"started_at": None},
    ],
    ids=str,
)
def test_what_the_vendor_leaves_out_or_words_otherwise_is_the_same_all_the_same(
    garage: Garage, told: dict[str, Any]
) -> None:
    garage.stop(garage.start())
    garage.tells(vendors(**told))
    assert garage.ids() == ["ocpp-1"]


def test_of_two_short_ones_behind_each_other_each_finds_its_own(garage: Garage) -> None:
    later = BEGAN + timedelta(minutes=3)
    garage.stop(garage.start(BEGAN, 1000), BEGAN + timedelta(minutes=2), 1500)
    garage.stop(garage.start(later, 1500), later + timedelta(minutes=50), 4000)
    ahead = timedelta(seconds=50)
    garage.tells(
        vendors(
            "b", started_at=later + ahead, stopped_at=later + ahead * 60, energy_mwh=2_500_000, start_mwh=1_500_000
        ),
        vendors("a", started_at=BEGAN + ahead, stopped_at=BEGAN + timedelta(minutes=2) + ahead, energy_mwh=500_000),
    )
    assert {each.id: each.same_as for each in garage.kept(state=ASIDE)} == {"a": "ocpp-1", "b": "ocpp-2"}


def test_where_the_charger_could_not_tell_the_end_the_vendors_counts_until_it_has(garage: Garage) -> None:
    number = garage.start()
    garage.tells(vendors())
    assert garage.ids() == ["77"]
    assert garage.do(sessions.active) == []
    garage.stop(number)
    assert garage.ids() == [f"ocpp-{number}"]
    assert garage.sums().energy_mwh == 8_000_000


def test_an_end_whose_beginning_the_charger_told_somebody_else_is_the_vendors(garage: Garage) -> None:
    garage.stop(4711, tag="T1")
    assert garage.ids() == ["ocpp-1"]
    garage.tells(vendors())
    assert garage.ids() == ["77"]


def test_a_car_that_was_plugged_in_again_is_told_apart_once_the_vendor_has_said_so(garage: Garage) -> None:
    """The vendor tells late: what he calls under way is over, and the charger has begun the next."""
    earlier = BEGAN - timedelta(minutes=3)
    first = vendors("a", started_at=earlier, stopped_at=BEGAN - timedelta(minutes=1), energy_mwh=100_000)
    garage.tells(under_way(first))
    number = garage.start()
    assert garage.ids() == [f"ocpp-{number}"]
    garage.tells(first, under_way(vendors("b")))
    assert sorted(garage.ids()) == ["a", f"ocpp-{number}"]
    assert garage.ids(state=ASIDE) == ["b"]


def test_different_energies_are_marked(garage: Garage) -> None:
    garage.stop(garage.start())
    garage.tells(vendors(energy_mwh=6_000_000))
    (kept,) = garage.kept()
    assert (kept.energy_mwh, kept.doubts) == (8_000_000, ("told_two_ways",))
    garage.tells(vendors(energy_mwh=8_000_000))
    assert garage.kept()[0].doubts == ()


def test_a_session_that_turns_out_to_be_of_another_time_counts_again(garage: Garage) -> None:
    garage.stop(garage.start())
    garage.tells(vendors())
    moved = timedelta(hours=5)
    garage.tells(vendors(started_at=BEGAN + moved, stopped_at=ENDED + moved))
    assert sorted(garage.ids()) == ["77", "ocpp-1"]
    straight = next(each for each in garage.kept() if each.id == "ocpp-1")
    assert (straight.cost_micros, straight.user_name, straight.same_as) == (None, None, None)


def test_a_person_says_that_they_are_two_and_takes_it_back(garage: Garage) -> None:
    garage.stop(garage.start())
    garage.tells(vendors())

    async def say() -> None:
        await garage.twins.part("77", by=SYSTEM, client=None)
        assert (await garage.store.read(lambda tx: sessions.some(tx, ["77"])))["77"].apart_by == SYSTEM.name

    asyncio.run(say())
    assert sorted(garage.ids()) == ["77", "ocpp-1"]
    garage.tells(vendors(energy_mwh=8_010_000))  # it is told anew, and stays by itself
    assert sorted(garage.ids()) == ["77", "ocpp-1"]
    assert garage.ids(state=ASIDE) == ["77"]  # where it is taken back
    assert garage.sums().count == 2
    asyncio.run(garage.twins.join("77", by=SYSTEM, client=None))
    assert garage.ids() == ["ocpp-1"]
    assert garage.host.audited == ["cvepro.session_parted", "cvepro.session_joined"]
    for act in (garage.twins.part, garage.twins.join):
        with pytest.raises(NotFound):
            asyncio.run(act("no-such", by=SYSTEM, client=None))


def test_the_one_that_counts_is_parted_too(garage: Garage) -> None:
    """By either of the two."""
    garage.stop(garage.start())
    garage.tells(vendors())
    asyncio.run(garage.twins.part("ocpp-1", by=SYSTEM, client=None))
    assert sorted(garage.ids()) == ["77", "ocpp-1"]


def test_a_session_without_a_beginning_is_in_the_month_of_its_end_with_what_is_known_of_it(garage: Garage) -> None:
    """However late it is told of."""
    last_month = datetime(2025, 12, 20, 10, tzinfo=UTC)
    register = [Reading(at=last_month - timedelta(hours=1), energy_mwh=4_000_000)]
    garage.stop(4711, last_month, 9000, tag="T9", found=register)
    (kept,) = garage.kept(state="no_beginning")
    assert (kept.started_at, kept.energy_mwh) == (None, 5_000_000)
    statement = garage.do(lambda tx: billing.statement(tx, Month(2025, 12), UTC_ZONE))
    assert (statement.sums.energy_mwh, statement.sums.marked) == (5_000_000, 1)
