"""What charge points tell comes out right however often, late and out of order they tell it: on both engines."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from atalaia.integrations.cvepro import integration
from atalaia.integrations.cvepro.model.chargers import Charger
from atalaia.integrations.cvepro.model.meters import Reading
from atalaia.integrations.cvepro.model.sessions import Session
from atalaia.integrations.cvepro.model.stations import Admission, Boot
from atalaia.integrations.cvepro.model.transactions import Tag
from atalaia.integrations.cvepro.ocpp.book import Book
from atalaia.integrations.cvepro.queries import chargers, sessions, stations, transactions
from atalaia.integrations.cvepro.queries.sessions import SessionFilter
from atalaia.integrations.cvepro.tables import residents, tags
from atalaia.sdk.integration import Host
from atalaia.sdk.transaction import Tx
from atalaia.store.store import Store
from tests.conftest import MakeStore
from tests.contract.integrations.bench import values_of
from tests.fakes import FakeClock
from tests.store.cvepro_site import SLICE, SiteHost

BOXES = count()
EPOCH = datetime(2026, 1, 10, tzinfo=UTC)  # before the tests' clock


@dataclass
class World:
    store: Store
    clock: FakeClock
    host: SiteHost
    book: Book
    numbers: dict[tuple[str, int], int] = field(default_factory=dict)

    def do(self, unit: Any) -> Any:
        return self.store.write_now(unit)

    def sessions(self, box_id: str) -> list[Session]:
        wanted = SessionFilter(box_id=box_id)
        return cast("list[Session]", self.do(lambda tx: sessions.page(tx, wanted, limit=100)))

    def start(self, box_id: str, at: datetime, wh: int, *, connector: int = 1, tag: str = "T1") -> tuple[int, Tag]:
        told = at.isoformat()
        answer = self.do(lambda tx: self.book.start(tx, box_id, connector, tag=tag, start_wh=wh, at=told))
        return cast("tuple[int, Tag]", answer)

    def stop(self, box_id: str, number: int, at: datetime, wh: int, **more: Any) -> None:
        given = {"reason": None, "tag": None, "found": (), **more}
        self.do(lambda tx: self.book.stop(tx, box_id, number, stop_wh=wh, at=at.isoformat(), **given))

    def measure(self, box_id: str, number: int | None, *found: Reading, connector: int = 1) -> None:
        self.do(lambda tx: self.book.measured(tx, box_id, connector, number=number, found=found))


@pytest.fixture
def world(make_store: MakeStore, clock: FakeClock) -> World:
    store = make_store(SLICE)
    host = SiteHost(store, clock, dict(values_of(integration.manifest.settings, {})))
    return World(store, clock, host, Book(cast("Host", host)))


@dataclass(frozen=True)
class Truth:
    """One transaction as it really was."""

    connector: int
    start_at: datetime
    stop_at: datetime
    start_wh: int
    took_wh: int
    readings: tuple[Reading, ...]


@st.composite
def truths(draw: st.DrawFn) -> list[Truth]:
    """Some transactions one after the other, at two connectors."""
    found = []
    for connector in (1, 2):
        at, meter = EPOCH, draw(st.integers(0, 1000))
        for _ in range(draw(st.integers(0, 3))):
            at += timedelta(seconds=draw(st.integers(1, 5000)))
            lasts = timedelta(seconds=draw(st.integers(1, 5000)))
            took = draw(st.integers(0, 30_000))
            steps = draw(st.integers(0, 3))
            told = tuple(
                Reading(at=at + lasts * n / (steps + 1), energy_mwh=(meter + took * n // (steps + 1)) * 1000)
                for n in range(1, steps + 1)
            )
            found.append(Truth(connector, at, at + lasts, meter, took, told))
            at, meter = at + lasts, meter + took
    return found


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[list[Truth], list[tuple[str, int]]]:
    """Each start, end and reading at least once, in any order in which an end comes behind its own start's answer."""
    true = draw(truths())
    starts = [("start", n) for n in range(len(true))]
    others = [(what, n) for n in range(len(true)) for what in ("stop", "measure")]
    again = draw(st.lists(st.sampled_from(starts + others), max_size=8)) if true else []
    told = draw(st.permutations(starts + others + again))
    begun: set[int] = set()
    ordered: list[tuple[str, int]] = []
    for what, n in told:
        if what != "start" and n not in begun:
            ordered.append(("start", n))
        begun.add(n)
        ordered.append((what, n))
    return true, ordered


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(delivery=deliveries())
def test_however_it_is_told_each_transaction_is_one_session_with_its_true_figures(
    delivery: tuple[list[Truth], list[tuple[str, int]]], world: World
) -> None:
    true, told = delivery
    box_id = f"BOX-{next(BOXES)}"
    numbers: dict[int, set[int]] = {}
    for what, n in told:
        one = true[n]
        if what == "start":
            number, _ = world.start(box_id, one.start_at, one.start_wh, connector=one.connector)
            numbers.setdefault(n, set()).add(number)
        elif what == "stop":
            (number,) = numbers[n]
            world.stop(box_id, number, one.stop_at, one.start_wh + one.took_wh)
        else:
            (number,) = numbers[n]
            world.measure(box_id, number, *one.readings, connector=one.connector)
    assert all(len(each) == 1 for each in numbers.values())
    kept = {each.id: each for each in world.sessions(box_id)}
    assert len(kept) == len(true)
    for n, one in enumerate(true):
        (number,) = numbers[n]
        session = kept[f"ocpp-{number}"]
        assert (session.started_at, session.stopped_at) == (one.start_at, one.stop_at)
        assert session.energy_mwh == one.took_wh * 1000
        assert session.doubts == ()


def test_an_end_whose_beginning_nobody_told_is_kept_once(world: World) -> None:
    for _ in range(3):
        world.stop("ELSEWHERE", 4711, EPOCH, 9000, tag="T9")
    (session,) = world.sessions("ELSEWHERE")
    assert (session.stopped_at, session.energy_mwh, session.tag) == (EPOCH, None, "T9")


def test_nobody_ends_the_transaction_of_another_charge_point(world: World) -> None:
    number, _ = world.start("MINE", EPOCH, 0)
    world.stop("OTHER", number, EPOCH + timedelta(hours=1), 5000)
    assert world.sessions("MINE")[0].is_active


def test_a_start_passes_over_one_whose_end_is_lost_with_what_its_meter_said(world: World) -> None:
    lost, _ = world.start("LOST", EPOCH, 1000)
    seen_at = EPOCH + timedelta(minutes=40)
    world.measure("LOST", None, Reading(at=seen_at, energy_mwh=4_000_000))
    world.start("LOST", EPOCH + timedelta(hours=3), 4200)
    kept = {each.id: each for each in world.sessions("LOST")}[f"ocpp-{lost}"]
    assert (kept.stopped_at, kept.energy_mwh) == (seen_at, 3_000_000)


def test_a_meter_that_went_backwards_is_marked(world: World) -> None:
    number, _ = world.start("BACK", EPOCH, 5000)
    world.stop("BACK", number, EPOCH + timedelta(hours=1), 3000)
    (session,) = world.sessions("BACK")
    assert (session.energy_mwh, session.doubts) == (0, ("meter_differs",))


def test_a_tag_in_use_is_refused_elsewhere_where_that_is_wanted(world: World) -> None:
    world.host.settings["ocpp_one_session_a_tag"] = True
    resident(world, "T1")
    first, worth = world.start("C-1", EPOCH, 0)
    assert worth is Tag.ACCEPTED
    assert world.start("C-2", EPOCH, 0, tag="t-1")[1] is Tag.CONCURRENT
    assert world.start("C-1", EPOCH, 0) == (first, Tag.ACCEPTED)  # told again


def test_full_and_idle_go_by_the_powers(world: World) -> None:
    number, _ = world.start("FULL", EPOCH, 0)
    for minute in range(30):
        w = 7000.0 if minute < 20 else 2.0
        world.measure(
            "FULL", number, Reading(at=EPOCH + timedelta(minutes=minute), power_w=w, energy_mwh=minute * 1000)
        )
    assert world.do(lambda tx: transactions.find(tx, number, box_id="FULL")).is_full
    world.stop("FULL", number, EPOCH + timedelta(minutes=30), 2000)
    assert world.sessions("FULL")[0].idle_s == 600


def test_a_power_told_apart_takes_no_energy_away_from_the_same_instant(world: World) -> None:
    """Some charge points send what they sample and what they measure by the clock as messages of their own."""
    at = EPOCH + timedelta(minutes=40)
    for box_id, order in (("APART-1", 1), ("APART-2", -1)):
        number, _ = world.start(box_id, EPOCH, 1000)
        told = (Reading(at=at, power_w=7000.0), Reading(at=at, energy_mwh=5_000_000))[::order]
        for each in told:
            world.measure(box_id, number, each)
        (kept,) = world.do(lambda tx, number=number: transactions.readings(tx, number))
        assert (kept.power_w, kept.energy_mwh) == (7000.0, 5_000_000)
        world.start(box_id, EPOCH + timedelta(hours=2), 6000)
        assert world.sessions(box_id)[-1].energy_mwh == 4_000_000


def test_two_that_begin_at_one_instant_of_a_clock_that_was_never_set_are_two(world: World) -> None:
    """Its meter counts from zero each time, so that the tag alone tells them apart."""
    never = datetime(1970, 1, 1, tzinfo=UTC)
    first, _ = world.start("NO-CLOCK", never, 0, tag="T1")
    world.stop("NO-CLOCK", first, never, 7000)
    second, _ = world.start("NO-CLOCK", never, 0, tag="T2")
    assert world.start("NO-CLOCK", never, 0, tag="T2")[0] == second != first
    world.stop("NO-CLOCK", second, never, 9000)
    assert sorted(each.energy_mwh or 0 for each in world.sessions("NO-CLOCK")) == [7_000_000, 9_000_000]


def test_old_meter_values_are_thinned_out_and_young_ones_stay(world: World) -> None:
    number, _ = world.start("THIN", EPOCH, 0)
    found = [Reading(at=EPOCH + timedelta(minutes=n), energy_mwh=n) for n in range(61)]
    world.measure("THIN", number, *found)
    before = EPOCH + timedelta(minutes=45)
    for since in (None, EPOCH):
        world.do(lambda tx, since=since: transactions.thin(tx, since=since, before=before, every=timedelta(minutes=15)))
    left = world.do(lambda tx: [each.energy_mwh for each in transactions.readings(tx, number)])
    assert left == [0, 15, 30, *range(45, 61)]


def test_one_that_the_vendor_tells_of_too_is_shown_once_and_speaks_for_itself_while_connected(world: World) -> None:
    vendors = Charger(key="BOTH", box_id="BOTH", uuid="u1", description="Garage 1", vendor="Acme")

    def unit(tx: Tx) -> None:
        now = world.clock.now()
        chargers.keep_all(tx, [vendors], now=now)
        stations.add(tx, "BOTH", Admission.ADMITTED, by="me", now=now)
        stations.add(tx, "OWN", Admission.ADMITTED, by="me", now=now)
        stations.keep_boot(tx, "BOTH", Boot(vendor="Told", model="By itself"), now=now)
        stations.connect(tx, "BOTH", hub="h", client="-", now=now)
        chargers.keep_all(tx, [vendors], now=now)  # a reading drops nobody

    world.do(unit)
    world.do(lambda tx: world.book.status(tx, "BOTH", 1, status="Charging", error_code="NoError", at=None))
    both, own = world.do(chargers.all_of_them)
    assert (both.key, both.name, both.vendor, both.status, both.is_straight) == (
        "BOTH",
        "Garage 1",
        "Told",
        "Charging",
        True,
    )
    assert own.key == "OWN"
    world.do(lambda tx: stations.end_dead_lines(tx, before=world.clock.now() + timedelta(days=1)))
    both, own = world.do(chargers.all_of_them)
    assert (both.vendor, both.status, both.is_straight) == ("Acme", None, False)


def test_who_falls_silent_is_told_and_ends_when_it_is_forgotten(world: World) -> None:
    def unit(tx: Tx) -> None:
        stations.add(tx, "QUIET", Admission.ADMITTED, by="me", now=world.clock.now())
        stations.connect(tx, "QUIET", hub="h", client="-", now=world.clock.now() - timedelta(hours=1))
        world.book.judge(tx)

    world.do(unit)
    assert "straight-silent:QUIET" in world.host.faults
    world.do(lambda tx: world.book.end_faults(tx, "QUIET"))
    assert "straight-silent:QUIET" not in world.host.faults


def resident(world: World, tag: str) -> None:
    def unit(tx: Tx) -> None:
        now = world.clock.now()
        row = {"id": "r1", "name": "Ana", "flat": "1", "locale": "pt-BR", "notices": [], "is_active": True}
        tx.insert(residents, [{**row, "created_at": now, "changed_at": now}])
        tx.insert(tags, [{"id": "t1", "tag": tag, "resident_id": "r1"}])

    world.do(unit)
