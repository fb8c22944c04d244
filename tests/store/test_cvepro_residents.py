"""Residents on both engines: whose a session is, tags that move on, accounts, files imported as they were shown."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast

import pytest
from msgspec.structs import replace
from sqlalchemy import select, text

from atalaia.core.errors import Conflict, InvalidField, NotFound
from atalaia.core.permissions import SYSTEM, Permission, Principal, Role
from atalaia.integrations.cvepro.model.chargers import Charger, Connector
from atalaia.integrations.cvepro.model.notices import NoticeKind
from atalaia.integrations.cvepro.model.sessions import Session
from atalaia.integrations.cvepro.queries import register, sessions
from atalaia.integrations.cvepro.queries import residents as queries
from atalaia.integrations.cvepro.queries.notices import set_opt_in
from atalaia.integrations.cvepro.queries.register import ResidentFilter
from atalaia.integrations.cvepro.queries.residents import FLAT, HELD_SESSIONS, RESIDENT_ID
from atalaia.integrations.cvepro.queries.sessions import SessionFilter
from atalaia.integrations.cvepro.service import waiting
from atalaia.integrations.cvepro.service.board import Board
from atalaia.integrations.cvepro.service.enrolling import LIFE, Enrolling
from atalaia.integrations.cvepro.service.keeping import keep_chargers, keep_sessions
from atalaia.integrations.cvepro.service.residents import By, Entry, Residents, known
from atalaia.integrations.cvepro.tables import sessions as sessions_table
from atalaia.sdk.files import Files, Upload
from atalaia.sdk.integration import Account, Host
from atalaia.sdk.transaction import Tx
from atalaia.store.files import StoreFiles
from tests.conftest import MakeStore
from tests.fakes import FakeClock
from tests.store.cvepro_site import SLICE, SiteHost

T = TypeVar("T")
BY = By(SYSTEM)
ANA = Account("p-ana", "Ana", "ana@example.org", Role.CLIENT)
RUI = Account("p-rui", "Rui", "rui@example.org", Role.CLIENT)
CSV = "Nome;Apto;Tag\r\nAna;101;AA\r\nRui;202;BB / CC\r\n;303;\r\n"


@dataclass(slots=True)
class House(SiteHost):
    files: Files = None  # type: ignore[assignment]  # of the store, below
    people: list[Account] = field(default_factory=lambda: [ANA, RUI])

    def __post_init__(self) -> None:
        self.files = StoreFiles("cvepro", now=self.clock.now)

    def accounts(self, tx: Tx, *, role: Role | None = None) -> list[Account]:  # noqa: ARG002 - the contract's form
        return [each for each in self.people if role in {None, each.role}]


@pytest.fixture
def house(make_store: MakeStore, clock: FakeClock) -> House:
    return House(make_store(SLICE), clock, {"heartbeat_limit_s": 900.0, "timezone": "America/Sao_Paulo"})


def session(id: str, tag: str | None, *, at: datetime, **more: Any) -> Session:
    ended = {"stopped_at": at + timedelta(hours=1), "energy_mwh": 7_000_000}
    return Session(id=id, tag=tag, started_at=at, box_id="CVE-1", **{**ended, **more})


@pytest.fixture
def residents(house: House) -> Residents:
    return Residents(cast("Host", house))


def do(act: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(act)


def ask(house: House, unit: Callable[[Tx], T]) -> T:
    return do(house.read(unit))


def keep(house: House, *found: Session) -> None:
    do(house.write(lambda tx: keep_sessions(tx, found, now=house.clock.now())))


def entry(name: str, flat: str, *tags: str, **more: Any) -> Entry:
    return Entry(name=name, flat=flat, tags=list(tags), **more)


def whose(house: House) -> dict[str, tuple[str | None, str | None]]:
    """Resident and flat of each session."""
    question = select(sessions_table.c.id, RESIDENT_ID, FLAT).select_from(HELD_SESSIONS)
    rows = [tuple(row) for row in ask(house, lambda tx: tx.rows(question))]
    return {id_: (resident, flat) for id_, resident, flat in rows}


def test_a_session_is_of_who_had_its_tag_when_it_began(house: House, residents: Residents, clock: FakeClock) -> None:
    start = clock.now()
    ana = do(residents.add(entry("Ana", "101", "aa:bb"), by=BY)).resident.id
    clock.advance(3600)
    rui = do(residents.add(entry("Rui", "202", "AA-BB", move=True), by=BY)).resident.id
    keep(
        house,
        session("before", "AABB", at=start - timedelta(days=400), flat="9"),
        session("last", "aa bb", at=start + timedelta(minutes=59), stopped_at=start + timedelta(hours=5)),
        session("first", "AABB", at=start + timedelta(hours=1)),
        session("vendor", "CC", at=start, flat="Apto 7", user_name="Zé"),
        session("nobody", None, at=start),
    )
    assert whose(house) == {
        "before": (ana, "101"),
        "last": (ana, "101"),
        "first": (rui, "202"),
        "vendor": (None, "Apto 7"),
        "nobody": (None, None),
    }
    held = ask(house, lambda tx: queries.holders(tx, ["before", "first", "vendor"]))
    assert {id_: holder.name for id_, holder in held.items()} == {"before": "Ana", "first": "Rui"}
    for wanted, ids in (
        (SessionFilter(resident_id=ana), {"last", "before"}),
        (SessionFilter(flat="202"), {"first"}),
        (SessionFilter(flat="Apto 7"), {"vendor"}),
        (SessionFilter(q="rui"), {"first"}),
        (SessionFilter(q="zé"), {"vendor"}),
    ):
        assert {each.id for each in ask(house, lambda tx, w=wanted: sessions.page(tx, w, limit=9))} == ids  # type: ignore[misc]  # bound per turn


def test_a_tag_that_another_has_is_refused_with_the_name_for_those_who_may_see_it(
    house: House, residents: Residents
) -> None:
    do(residents.add(entry("Ana", "101", "AA"), by=BY))
    with pytest.raises(InvalidField, match=r"Ana's now \(101\)") as refused:
        do(residents.add(entry("Rui", "202", "aa"), by=BY))
    assert refused.value.field == "tags"
    blind = By(Principal(id="x", kind="key", name="x", permissions=frozenset({Permission.DASHBOARDS_WRITE})))
    with pytest.raises(InvalidField) as hidden:
        do(residents.add(entry("Rui", "202", "aa"), by=blind))
    assert "Ana" not in str(hidden.value)
    assert [each.resident.name for each in do(residents.page(ResidentFilter(), limit=9))] == ["Ana"]
    assert "cvepro.resident_entered" in house.audited


def test_what_is_taken_out_of_the_form_is_handed_back_and_stays_in_the_history(
    residents: Residents, clock: FakeClock
) -> None:
    ana = do(residents.add(entry("Ana", "101", "AA", "BB"), by=BY)).resident.id
    clock.advance(60)
    changed = do(residents.change(ana, lambda _: entry("Ana", "101", "BB", "CC"), by=BY))
    assert [(each.tag, each.is_held) for each in changed.tags] == [("BB", True), ("CC", True), ("AA", False)]
    clock.advance(60)
    do(residents.give_tag(ana, "aa", by=BY))
    tags = [each for each in do(residents.one(ana)).tags if each.tag == "AA"]
    assert [(each.since_at is None, each.until_at is None) for each in tags] == [(False, True), (True, False)]
    do(residents.end_tag(ana, tags[1].id, by=BY, was_never=True))
    assert len(do(residents.one(ana)).tags) == 3
    with pytest.raises(NotFound):
        do(residents.end_tag(ana, "nothing", by=BY))


def test_an_account_is_one_residents_and_proposed_by_its_address(residents: Residents) -> None:
    ana = do(residents.add(entry("Ana", "101", email="ANA@example.org"), by=BY)).resident.id
    do(residents.add(entry("Rui", "202", email="rui@example.org", account=RUI.id), by=BY))
    assert [(one.id, account.id) for one, account in do(residents.proposed())] == [(ana, ANA.id)]
    assert do(residents.link_proposed(by=BY)) == 1
    with pytest.raises(InvalidField, match="Ana's"):
        do(residents.add(entry("Eva", "303", account=ANA.id), by=BY))
    with pytest.raises(InvalidField, match="no such account"):
        do(residents.link(ana, "p-admin", by=BY))
    do(residents.link(ana, "", by=BY))
    assert do(residents.one(ana)).resident.person_id is None


def test_another_number_ends_the_consent_and_one_that_is_gone_takes_the_tags_along(
    house: House, residents: Residents, clock: FakeClock
) -> None:
    id_ = do(residents.add(entry("Ana", "101", "AA", phone="11 91234-5678"), by=BY)).resident.id
    do(house.write(lambda tx: set_opt_in(tx, id_, [NoticeKind.ENDED], at=clock.now(), now=clock.now())))
    same = do(residents.change(id_, lambda _: entry("Ana", "102", "AA", phone="+5511912345678"), by=BY))
    assert same.resident.opted_in_at == clock.now()
    other = do(residents.change(id_, lambda _: entry("Ana", "102", "AA", phone="11 91234-0000"), by=BY))
    assert other.resident.opted_in_at is None
    do(residents.set_active(id_, is_active=False, by=BY))
    assert not do(residents.one(id_)).resident.is_active
    keep(house, session("s", "AA", at=clock.now(), flat="9"))
    do(residents.remove(id_, by=BY))
    assert whose(house) == {"s": (None, "9")}
    with pytest.raises(NotFound):
        do(residents.one(id_))


def test_a_consent_that_is_taken_back_meanwhile_stays_taken_back(house: House, residents: Residents) -> None:
    """Of two hubs one saves a resident as the other takes the consent back: what was not changed is not written."""
    made = do(residents.add(entry("Ana", "101", phone="11912345678"), by=BY)).resident
    now = house.clock.now()
    do(house.write(lambda tx: set_opt_in(tx, made.id, [NoticeKind.ENDED], at=now, now=now)))
    former = ask(house, lambda tx: known(tx, made.id)).resident

    def unit(tx: Tx) -> None:
        set_opt_in(tx, made.id, (), at=None, now=now)  # as committed by the other between reading and writing
        register.keep(tx, former, replace(former, is_active=False))

    do(house.write(unit))
    kept = ask(house, lambda tx: known(tx, made.id)).resident
    assert (kept.is_active, kept.opted_in_at, kept.notices) == (False, None, ())


def test_the_list_is_read_page_by_page_and_filtered(residents: Residents) -> None:
    for n in range(5):
        do(
            residents.add(
                entry(f"R{n}", f"{n % 2}", *([f"TAG{n}"] if n else []), phone="" if n % 2 else "1133334444"), by=BY
            )
        )
    found: list[str] = []
    after = None
    for _ in range(3):
        page = do(residents.page(ResidentFilter(), limit=2, after=after))
        found += [each.resident.name for each in page[:2]]
        after = page[1].resident.id if len(page) > 2 else None
    assert found == ["R0", "R2", "R4", "R1", "R3"]

    def names(**wanted: str) -> set[str]:
        return {each.resident.name for each in do(residents.page(ResidentFilter(**wanted), limit=9))}

    assert names(without="tag") == {"R0"}
    assert names(without="phone") == {"R1", "R3"}
    assert names(q="tag-3") == {"R3"}
    assert names(q="r2") == {"R2"}
    assert names(flat="1") == {"R1", "R3"}
    assert names(state="inactive") == set()


def test_a_file_is_imported_as_it_was_shown_and_a_second_time_changes_nothing(
    house: House, residents: Residents, clock: FakeClock
) -> None:
    enrolling = Enrolling(cast("Host", house))
    upload = Upload("moradores.csv", "text/csv", CSV.encode())
    id_ = do(enrolling.take(upload, may_move=False, by=BY))
    preview = do(enrolling.look(id_))
    assert preview.counts == {"new": 2, "error": 1}
    assert do(residents.page(ResidentFilter(), limit=9)) == []
    do(residents.add(entry("Eva", "303", "CC"), by=BY))
    with pytest.raises(Conflict):
        do(enrolling.carry_out(id_, preview.digest, by=BY))
    seen = do(enrolling.look(id_))
    assert seen.counts == {"new": 1, "error": 2}
    do(enrolling.carry_out(id_, seen.digest, by=BY))
    do(enrolling.carry_out(id_, seen.digest, by=BY))  # sent twice
    kept = {
        each.resident.name: [tag.tag for tag in each.held] for each in do(residents.page(ResidentFilter(), limit=9))
    }
    assert kept == {"Ana": ["AA"], "Eva": ["CC"]}
    refused = do(enrolling.refused(id_, lambda text, **params: text.format(**params))).decode("utf-8-sig")
    assert [line.split(";")[0] for line in refused.splitlines()] == ["Line", "3", "4"]

    moving = do(enrolling.take(upload, may_move=True, by=BY))
    do(enrolling.carry_out(moving, do(enrolling.look(moving)).digest, by=BY))
    rui = next(each for each in do(residents.page(ResidentFilter(q="rui"), limit=9)))
    assert {tag.tag: tag.since_at for tag in rui.held} == {"BB": None, "CC": clock.now()}
    again = do(enrolling.take(upload, may_move=True, by=BY))
    assert do(enrolling.look(again)).counts == {"unchanged": 2, "error": 1}

    clock.advance(LIFE.total_seconds())
    with pytest.raises(NotFound):
        do(enrolling.look(again))
    do(enrolling.forget())
    assert ask(house, lambda tx: tx.raw("SELECT COUNT(*) FROM cvepro_rosters")) == [(0,)]
    assert ask(house, lambda tx: tx.raw("SELECT COUNT(*) FROM file_parts")) == [(0,)]


def test_who_charges_is_shown_by_the_tag(house: House, residents: Residents, clock: FakeClock) -> None:
    plug = Connector(number="1", status="Charging", user_name="AS THE VENDOR SAYS")
    charger = Charger(key="CVE-1", box_id="CVE-1", connectors=(plug,))
    do(house.write(lambda tx: keep_chargers(tx, [charger], now=clock.now())))
    keep(house, session("s", "aa", at=clock.now(), stopped_at=None, energy_mwh=None, connector="1", flat="9"))
    board = Board(cast("Host", house))

    def plugs() -> list[tuple[str | None, str | None]]:
        return [(each.user_name, each.flat) for each in do(board.look()).shown[0].plugs]

    assert plugs() == [("AS THE VENDOR SAYS", "9")]
    do(residents.add(entry("Ana", "101", "AA"), by=BY))
    assert plugs() == [("Ana", "101")]


def test_one_waits_with_the_notice_on_and_keeps_the_place(house: House, residents: Residents, clock: FakeClock) -> None:
    host = cast("Host", house)
    id_ = do(residents.add(entry("Ana", "101", phone="11 91234-5678"), by=BY)).resident.id

    def wait(key: str) -> Callable[[Tx], None]:
        return lambda tx: waiting.wait(host, tx, known(tx, id_).resident, key)

    with pytest.raises(InvalidField):
        do(house.write(wait("")))
    do(house.write(lambda tx: set_opt_in(tx, id_, [NoticeKind.CHARGER_FREE], at=clock.now(), now=clock.now())))
    do(house.write(wait("")))
    clock.advance(5)
    do(house.write(wait("")))
    with pytest.raises(NotFound):
        do(house.write(wait("CVE-9")))
    found = ask(house, lambda tx: waiting.waits_of(tx, known(tx, id_).resident))
    assert [(each.charger_key, each.asked_at) for each in found] == [("", clock.now() - timedelta(seconds=5))]
    do(house.write(lambda tx: waiting.stop_waiting(tx, known(tx, id_).resident, "")))
    assert ask(house, lambda tx: waiting.waits_of(tx, known(tx, id_).resident)) == []


def test_sessions_of_a_resident_are_found_by_index_among_a_hundred_thousand(house: House, clock: FakeClock) -> None:
    if house.store.dialect != "sqlite":
        return  # it chooses by statistics
    c = sessions_table.c
    own = select(c.id).select_from(HELD_SESSIONS).where(RESIDENT_ID.in_(["x"]))
    in_month = own.where(c.sort_at >= clock.now(), c.sort_at < clock.now() + timedelta(days=31)).order_by(
        c.sort_at, c.id
    )
    for question in (own, in_month):
        sql = f"EXPLAIN QUERY PLAN {question.compile(compile_kwargs={'literal_binds': True})}"
        plan = [str(row) for row in ask(house, lambda tx, sql=sql: tx.rows(text(sql)))]  # type: ignore[misc]  # bound per turn
        assert any("ix_cvepro_sessions_tag_key_sort_at" in step for step in plan), plan
        assert not any("SCAN" in step for step in plan), plan
