"""What residents are told: who asked for it, once, of what is news, outside quiet hours; and what became of it."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace
from sqlalchemy import insert

from atalaia.core.errors import InvalidField, NotFound
from atalaia.core.permissions import SYSTEM
from atalaia.integrations.cvepro.keeping import keep_chargers, keep_sessions
from atalaia.integrations.cvepro.manifest import SETTINGS
from atalaia.integrations.cvepro.model.chargers import Charger, Connector
from atalaia.integrations.cvepro.model.notices import Fate, Notice, NoticeKind
from atalaia.integrations.cvepro.model.sessions import Session
from atalaia.integrations.cvepro.notices import Notices, opt_in, opt_out
from atalaia.integrations.cvepro.queries import notices as queries
from atalaia.integrations.cvepro.queries.notices import NoticeFilter
from atalaia.integrations.cvepro.queries.residents import find
from atalaia.integrations.cvepro.tables import residents, tags, waits
from atalaia.integrations.cvepro.telling import Change, Telling
from atalaia.notify.service.direct import DirectMessages
from atalaia.sdk.channels import ChannelKind, ChannelMessage, DirectMessage, Values
from atalaia.sdk.failures import NoSuchAddress, TemporaryFailure
from atalaia.sdk.messages import MessageDone, MessageKind
from atalaia.sdk.transaction import Tx
from atalaia.store.store import Store
from tests.conftest import MakeStore
from tests.fakes import FakeClock
from tests.store.notify_parts import Parts, notifying, wake

NOON = datetime(2026, 1, 15, 15, 0, tzinfo=UTC)  # by the condominium's clock
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
ANA, BIA = "+5511912345678", "+5521987654321"
ALL = tuple(str(each) for each in NoticeKind)
SESSION = Session(id="s1", box_id="B1", connector="1", tag="04:a2", started_at=NOON - MINUTE)


class WhatsApp(ChannelKind):
    name = "whatsapp"
    title = "WhatsApp"
    is_repeatable = False
    takes_direct = True

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []
        self.turns: deque[Exception] = deque()
        self.is_set_up = True

    def is_ready(self) -> bool:
        return self.is_set_up

    def check(self, values: Values) -> dict[str, Any]:
        return dict(values)

    def describe(self, values: Values) -> str:
        return str(values)

    async def send(self, values: Values, message: ChannelMessage) -> str:
        raise NotImplementedError

    def check_address(self, address: str) -> str:
        if len(address) < 8:
            raise InvalidField("to", "no number")
        return address

    async def send_direct(self, values: Values, message: DirectMessage) -> str:  # noqa: ARG002 - the contract's form
        if self.turns:
            raise self.turns.popleft()
        self.sent.append((message.to, message.text))
        return "201 PENDING"


@dataclass
class House:
    """sdk.integration.Host, as far as notices need it, on the real outbox."""

    store: Store
    clock: FakeClock
    parts: Parts
    phones: WhatsApp
    settings: dict[str, Any] = field(
        default_factory=lambda: {each.key.rpartition(".")[2]: each.default for each in SETTINGS}
    )
    audited: list[str] = field(default_factory=list)
    public_url: str = "https://hub.test"

    def __post_init__(self) -> None:
        self._direct = DirectMessages(self.parts.service.kinds, self.clock)
        host: Any = self
        self.notices = Notices(host)
        self.telling = Telling(host, self.notices)

    def setting(self, name: str) -> Any:
        return self.settings[name]

    def message(self, tx: Tx, **message: Any) -> str:
        return self._direct.queue(tx, owner="cvepro", **message)

    def message_kinds(self, tx: Tx) -> Sequence[MessageKind]:
        return self._direct.kinds(tx)

    def audit(self, tx: Tx, *, action: str, **_rest: Any) -> None:
        tx.after_commit(lambda: self.audited.append(action))

    async def write(self, unit: Callable[[Tx], Any]) -> Any:
        return await self.store.write(unit)

    async def settle(self, *, then_s: float = 0) -> None:
        """All has been sent; then so much time goes by."""
        await self.parts.until_empty()
        await self.pass_s(then_s)

    async def pass_s(self, seconds: float) -> None:
        await wake(self.parts, self.clock, seconds)

    async def people(self, *rows: dict[str, Any]) -> None:
        await self.store.write(lambda tx: tx.execute(insert(residents), list(rows)))

    async def tag(self, tag: str, resident_id: str, **span: Any) -> None:
        row = {"id": tag + resident_id, "tag": tag, "resident_id": resident_id, **span}
        await self.store.write(lambda tx: tx.execute(insert(tags), [row]))

    async def wait(self, resident_id: str, key: str, asked_at: datetime) -> None:
        row = {"resident_id": resident_id, "charger_key": key, "asked_at": asked_at}
        await self.store.write(lambda tx: tx.execute(insert(waits), [row]))

    async def waiting(self) -> list[str]:
        rows = await self.store.read(lambda tx: tx.rows(waits.select().order_by(waits.c.asked_at)))
        return [row.resident_id for row in rows]

    async def keep(self, *sessions: Session) -> None:
        now = self.clock.now()
        await self.store.write(lambda tx: keep_sessions(tx, sessions, now=now, telling=self.telling))

    async def charger(self, status: str, *, at: datetime | None = None, key: str = "B1", more: str = "") -> None:
        plugs = [Connector(number="1", status=status, status_at=at)]
        plugs += [Connector(number="2", status=more)] if more else []
        found = [Charger(key=key, box_id=key, description=f"Vaga {key}", connectors=tuple(plugs))]
        now = self.clock.now()
        await self.store.write(lambda tx: keep_chargers(tx, found, now=now, telling=self.telling))

    async def record(self, **wanted: Any) -> list[Notice]:
        listed = await self.store.read(lambda tx: queries.page(tx, NoticeFilter(**wanted), limit=50))
        return [each.notice for each in reversed(listed)]

    async def fates(self) -> list[tuple[str, str]]:
        return [(each.kind, each.fate) for each in await self.record()]


def resident(id: str, name: str, phone: str | None, **more: Any) -> dict[str, Any]:
    at = NOON - 24 * HOUR
    base = {"id": id, "name": name, "flat": f"A {id}", "phone": phone, "locale": "pt-BR", "opted_in_at": at}
    return {**base, "notices": list(ALL), "is_active": True, "created_at": at, "changed_at": at, **more}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOON)


@pytest.fixture
def store(make_store: MakeStore) -> Store:
    return make_store("access", "notify", "integrations/cvepro")


Body = Callable[[House], Coroutine[Any, Any, None]]


@asynccontextmanager
async def a_house(store: Store, clock: FakeClock) -> AsyncIterator[House]:
    phones = WhatsApp()
    async with notifying(store, clock, kinds=(phones,)) as parts:
        house = House(store, clock, parts, phones)
        store.on(MessageDone, house.notices.on_message)
        yield house


def run(store: Store, clock: FakeClock, body: Body, *, people: Sequence[dict[str, Any]] = ()) -> None:
    """Ana has the tag 04A2, and wants all notices."""

    async def main() -> None:
        async with a_house(store, clock) as house:
            await house.people(*(people or (resident("1", "Ana Souza", ANA),)))
            await house.tag("04A2", "1")
            await body(house)

    asyncio.run(main())


def ended(**more: Any) -> Session:
    """An hour and 40 minutes from now."""
    end: dict[str, Any] = {"stopped_at": NOON + 100 * MINUTE, "energy_mwh": 12_340_000, "cost_micros": 9_870_000}
    return replace(SESSION, **{**end, "stop_reason": "EVDisconnected", **more})


def test_a_sessions_life_is_told_once_each_however_often_it_is_read(store: Store, clock: FakeClock) -> None:
    async def body(house: House) -> None:
        await house.charger("Charging")
        for _ in range(3):
            await house.keep(SESSION)
        await house.settle(then_s=95 * 60)
        for _ in range(3):
            await house.charger("SuspendedEV", at=clock.now() - 4 * MINUTE)
        await house.settle(then_s=6 * 60)
        for _ in range(3):
            await house.keep(ended())
        await house.keep(ended(energy_mwh=12_350_000))
        await house.settle()
        assert await house.fates() == [("started", "delivered"), ("full", "delivered"), ("ended", "delivered")]
        began, full, done = (text for _, text in house.phones.sent)
        assert began.startswith("Olá, Ana! Sua recarga em Vaga B1 começou às 11:59.\n\nVocê recebe estes avisos")
        assert "https://hub.test/cvepro/mine" in began
        assert full.startswith("Ana, seu carro em Vaga B1 parou de carregar")
        assert done == "Ana, sua recarga em Vaga B1 terminou: 12,34 kWh em 1 h 41 min, custo R$ 9,87."
        assert {to for to, _ in house.phones.sent} == {ANA}

    run(store, clock, body)


def test_what_nobody_wanted_is_an_interruption_with_its_reason(store: Store, clock: FakeClock) -> None:
    async def body(house: House) -> None:
        await house.keep(SESSION)
        await house.settle(then_s=101 * 60)
        await house.keep(ended(stop_reason="PowerLoss", stop_actor="station"))
        await house.settle()
        assert [kind for kind, _ in await house.fates()] == ["started", "interrupted"]
        assert "interrompida às 13:40 (falta de energia)" in house.phones.sent[-1][1]

    run(store, clock, body)


def test_a_tag_that_comes_to_be_known_on_the_way_says_whose_it_is(store: Store, clock: FakeClock) -> None:
    async def body(house: House) -> None:
        await house.keep(replace(SESSION, tag=None))
        assert await house.fates() == []
        await house.keep(SESSION)
        await house.settle()
        assert await house.fates() == [("started", "delivered")]

    run(store, clock, body)


def test_a_tag_that_is_told_by_number_alone_is_known_by_it_from_before(store: Store, clock: FakeClock) -> None:
    async def body(house: House) -> None:
        former = {"started_at": NOON - 5 * HOUR, "stopped_at": NOON - 4 * HOUR, "tag_pk": "77"}
        await house.keep(replace(SESSION, id="s0", tag="elsewhere", **{**former, "started_at": NOON - 9 * HOUR}))
        await house.keep(replace(SESSION, id="s1", **former))
        await house.keep(replace(SESSION, id="s2", tag=None, tag_pk="77"), replace(SESSION, id="s3", tag=None))
        await house.settle()
        assert [each.subject for each in await house.record()] == ["s2"]

    run(store, clock, body)


def test_a_short_one_that_is_heard_of_at_its_end_is_told_as_ended_alone(store: Store, clock: FakeClock) -> None:
    async def body(house: House) -> None:
        await house.keep(replace(SESSION, stopped_at=NOON, energy_mwh=None))
        await house.settle()
        assert await house.fates() == [("ended", "delivered")]
        assert "– em 1 min" in house.phones.sent[0][1]

    run(store, clock, body)


@pytest.mark.parametrize(
    "session",
    [
        replace(SESSION, started_at=NOON - 61 * MINUTE),
        replace(SESSION, started_at=NOON - 9 * HOUR, stopped_at=NOON - 61 * MINUTE),
        replace(SESSION, tag="other"),
        replace(SESSION, tag=None),
    ],
)
def test_what_is_old_or_nobodys_is_told_to_nobody(store: Store, clock: FakeClock, session: Session) -> None:
    async def body(house: House) -> None:
        await house.keep(session)
        assert await house.fates() == []

    run(store, clock, body)


def test_an_import_tells_nobody(store: Store, clock: FakeClock) -> None:
    async def body(house: House) -> None:
        await house.write(lambda tx: keep_sessions(tx, [SESSION], now=clock.now()))
        assert await house.fates() == []

    run(store, clock, body)


@pytest.mark.parametrize(
    "more",
    [
        {"opted_in_at": None},
        {"notices": ["ended"]},
        {"phone": None},
        {"is_active": False},
    ],
)
def test_who_did_not_ask_for_it_is_told_nothing(store: Store, clock: FakeClock, more: dict[str, Any]) -> None:
    async def body(house: House) -> None:
        await house.keep(SESSION)
        assert await house.fates() == []

    run(store, clock, body, people=[{**resident("1", "Ana", ANA), **more}])


def test_in_quiet_hours_what_must_be_told_waits_and_what_is_no_news_then_is_not_sent(
    store: Store, clock: FakeClock
) -> None:
    async def body(house: House) -> None:
        clock.advance(11 * 3600)  # 23:00
        now = clock.now()
        await house.keep(replace(SESSION, started_at=now))
        clock.advance(3600)
        await house.charger("SuspendedEV", at=clock.now() - 5 * MINUTE)
        clock.advance(1)
        await house.keep(ended(started_at=now, stopped_at=clock.now()))
        assert await house.fates() == [("started", "quiet"), ("full", "quiet"), ("ended", "queued")]
        await house.pass_s(6 * 3600)
        await house.parts.until_landed()
        assert house.phones.sent == []
        await house.pass_s(3600)
        await house.settle()
        assert len(house.phones.sent) == 1
        assert (await house.fates())[-1] == ("ended", "delivered")
        ended_at = (await house.record())[-1].settled_at
        assert ended_at is not None
        assert f"{ended_at.astimezone(ZoneInfo('America/Sao_Paulo')):%H:%M}" == "07:00"

    run(store, clock, body)


def test_shortly_before_their_end_it_waits_and_is_still_news(store: Store, clock: FakeClock) -> None:
    async def body(house: House) -> None:
        clock.advance((18 * 60 + 50) * 60)  # 06:50
        await house.keep(replace(SESSION, started_at=clock.now()))
        assert await house.fates() == [("started", "queued")]
        await house.pass_s(601)
        await house.settle()
        assert await house.fates() == [("started", "delivered")]

    run(store, clock, body)


def test_quiet_hours_that_can_not_be_read_keep_nobody_from_being_told(store: Store, clock: FakeClock) -> None:
    async def body(house: House) -> None:
        house.settings["quiet_from"] = "noon"
        await house.keep(SESSION)
        await house.settle()
        assert await house.fates() == [("started", "delivered")]

    run(store, clock, body)


def test_a_number_that_is_not_on_whatsapp_is_marked_and_tried_no_more_until_it_changes(
    store: Store, clock: FakeClock
) -> None:
    async def body(house: House) -> None:
        house.phones.turns.append(NoSuchAddress("+55… is not on WhatsApp."))
        await house.keep(SESSION)
        await house.settle()
        ana = await house.store.read(lambda tx: find(tx, "1"))
        assert ana is not None
        assert ana.is_refused
        await house.keep(replace(SESSION, id="s2"))
        assert sorted(await house.fates()) == [("started", "not_there"), ("started", "refused")]
        await house.write(lambda tx: tx.execute(residents.update().values(phone=BIA)))
        await house.keep(replace(SESSION, id="s3"))
        await house.settle()
        assert [to for to, _ in house.phones.sent] == [BIA]

    run(store, clock, body)


def test_what_perhaps_went_out_is_unknown_and_not_sent_again(store: Store, clock: FakeClock) -> None:
    async def body(house: House) -> None:
        house.phones.turns.append(TemporaryFailure("500"))
        await house.keep(SESSION)
        await house.settle()
        await house.settle(then_s=3600)
        await house.keep(SESSION)
        await house.settle()
        assert await house.fates() == [("started", "unknown")]
        assert house.phones.sent == []

    run(store, clock, body)


def test_without_whatsapp_it_is_on_record_that_nobody_could_be_told(store: Store, clock: FakeClock) -> None:
    async def body(house: House) -> None:
        house.phones.is_set_up = False
        await house.keep(SESSION)
        assert await house.fates() == [("started", "no_way")]

    run(store, clock, body)


def test_a_number_that_can_not_be_one_fails_no_reading(store: Store, clock: FakeClock) -> None:
    async def body(house: House) -> None:
        await house.keep(SESSION)
        assert await house.fates() == [("started", "failed")]

    run(store, clock, body, people=[resident("1", "Ana", "+1")])


def test_a_car_that_rests_for_a_moment_is_not_full(store: Store, clock: FakeClock) -> None:
    async def body(house: House) -> None:
        await house.keep(SESSION)
        await house.charger("SuspendedEV", at=clock.now() - 2 * MINUTE)
        assert [kind for kind, _ in await house.fates()] == ["started"]
        await house.pass_s(60)
        await house.charger("SuspendedEV", at=clock.now() - 3 * MINUTE)
        assert [kind for kind, _ in await house.fates()] == ["started", "full"]

    run(store, clock, body)


def test_own_words_are_said_in_place_of_the_built_in_ones(store: Store, clock: FakeClock) -> None:
    async def body(house: House) -> None:
        kind = NoticeKind.STARTED
        await house.notices.keep_words(kind, "pt-BR", "Começou em {charger}", by=SYSTEM, client=None)
        await house.keep(SESSION)
        await house.settle()
        assert house.phones.sent[0][1].startswith("Começou em B1\n")
        await house.notices.reset_words(kind, "pt-BR", by=SYSTEM, client=None)
        await house.keep(replace(SESSION, id="s2"))
        await house.settle()
        assert house.phones.sent[1][1] == "Olá, Ana! Sua recarga em B1 começou às 11:59."
        assert house.audited == ["cvepro.notice_words_changed", "cvepro.notice_words_reset"]
        with pytest.raises(InvalidField):
            await house.notices.keep_words(kind, "pt-BR", "{oops}", by=SYSTEM, client=None)

    run(store, clock, body)


TWO = (resident("1", "Ana Souza", ANA), resident("2", "Bia Lima", BIA, locale="en"))


def test_of_those_who_wait_the_first_is_told_and_waits_no_more(store: Store, clock: FakeClock) -> None:
    async def body(house: House) -> None:
        await house.wait("2", "", NOON - 2 * MINUTE)
        await house.wait("1", "B1", NOON - MINUTE)
        await house.charger("Charging", more="Charging")
        await house.charger("Available", more="Available")
        await house.charger("Available", more="Available")
        await house.settle()
        assert [to for to, _ in house.phones.sent] == [BIA]
        assert house.phones.sent[0][1].startswith("Bia, Vaga B1 has just become free.")
        assert await house.waiting() == ["1"]
        await house.charger("Preparing", more="Available")
        await house.charger("Available", at=clock.now(), more="Available")
        await house.settle()
        assert [to for to, _ in house.phones.sent] == [BIA, ANA]
        assert await house.waiting() == []

    run(store, clock, body, people=TWO)


def test_who_can_not_be_told_is_passed_over(store: Store, clock: FakeClock) -> None:
    async def body(house: House) -> None:
        for number in "345":
            await house.wait(number, "", NOON - 9 * MINUTE)
        await house.wait("1", "other", NOON - 9 * MINUTE)
        await house.wait("2", "", NOON)
        await house.charger("Charging")
        await house.charger("Available")
        await house.settle()
        assert [to for to, _ in house.phones.sent] == [BIA]

    away = (
        resident("3", "C", "+5511988887777", opted_in_at=None),
        resident("4", "D", None),
        resident("5", "E", "+5511988886666", refused_phone="+5511988886666"),
    )
    rows = [{"refused_phone": None, **each} for each in (*TWO, *away)]
    run(store, clock, body, people=rows)


def test_at_night_nobody_is_told_and_who_waits_goes_on_waiting(store: Store, clock: FakeClock) -> None:
    async def body(house: House) -> None:
        clock.advance(11 * 3600)
        await house.wait("1", "", NOON)
        await house.charger("Charging")
        await house.charger("Available")
        assert await house.fates() == [("charger_free", "quiet")]
        assert await house.waiting() == ["1"]

    run(store, clock, body)


def test_who_begins_to_charge_waits_no_more(store: Store, clock: FakeClock) -> None:
    async def body(house: House) -> None:
        await house.wait("1", "", NOON)
        await house.keep(SESSION)
        assert await house.waiting() == []

    run(store, clock, body)


def test_a_charger_that_is_seen_for_the_first_time_has_not_become_free(store: Store, clock: FakeClock) -> None:
    async def body(house: House) -> None:
        await house.wait("1", "", NOON)
        await house.charger("Available")
        assert await house.fates() == []

    run(store, clock, body)


def test_of_two_hubs_one_tells(store: Store, clock: FakeClock) -> None:
    async def body(house: House) -> None:
        await asyncio.gather(*(house.store.write(lambda tx: take_for_new(house, tx)) for _ in range(8)))
        await house.settle()
        assert len(house.phones.sent) == 1

    run(store, clock, body)


def take_for_new(house: House, tx: Tx) -> None:
    """As two readings that both take it for new."""
    house.telling.of_sessions(tx, [Change(None, SESSION)], now=house.clock.now())


def test_opting_in_and_out(store: Store, clock: FakeClock) -> None:
    async def body(house: House) -> None:
        host: Any = house
        await house.write(lambda tx: opt_in(host, tx, "1", ["ended", "started"], by=SYSTEM))
        ana = await house.store.read(lambda tx: find(tx, "1"))
        assert ana is not None
        assert (ana.opted_in_at, ana.notices) == (NOON, ("started", "ended"))
        await house.write(lambda tx: opt_out(host, tx, "1", by=SYSTEM))
        ana = await house.store.read(lambda tx: find(tx, "1"))
        assert ana is not None
        assert (ana.opted_in_at, ana.notices) == (None, ())
        assert house.audited == ["cvepro.resident_opted_in", "cvepro.resident_opted_out"]
        wrong: list[tuple[str, list[str], type[Exception]]] = [
            ("1", [], InvalidField),
            ("1", ["sms"], InvalidField),
            ("9", ["full"], NotFound),
        ]
        for id_, kinds, error in wrong:
            with pytest.raises(error):
                await house.write(partial(opt_in_as, house, id_, kinds))
        with pytest.raises(NotFound):
            await house.write(lambda tx: opt_out(host, tx, "9", by=SYSTEM))

    run(store, clock, body, people=[resident("1", "Ana", ANA, opted_in_at=None)])


def opt_in_as(house: House, id: str, kinds: list[str], tx: Tx) -> None:
    host: Any = house
    opt_in(host, tx, id, kinds, by=SYSTEM)


def test_a_test_goes_to_the_number_and_is_on_record(store: Store, clock: FakeClock) -> None:
    async def body(house: House) -> None:
        await house.write(lambda tx: house.notices.test(tx, NoticeKind.ENDED, "pt-BR", BIA, now=clock.now()))
        await house.settle()
        assert house.phones.sent == [
            (BIA, "Ana, sua recarga em Vaga 12 terminou: 23,45 kWh em 3 h 25 min, custo R$ 22,28.")
        ]
        (notice,) = await house.record()
        assert (notice.resident_id, notice.fate) == ("", Fate.DELIVERED)

    run(store, clock, body)


def test_the_record_is_filtered_paged_and_forgotten_in_the_end(store: Store, clock: FakeClock) -> None:
    async def body(house: House) -> None:
        await house.keep(*(replace(SESSION, id=f"s{n}") for n in range(5)))
        await house.settle()
        await house.keep(replace(SESSION, id="s9", stopped_at=NOON))
        for wanted, count in (({"kind": "ended"}, 1), ({"q": "sou"}, 6), ({"q": "bia"}, 0), ({"fate": "delivered"}, 5)):
            assert len(await house.record(**wanted)) == count
        first = await house.store.read(lambda tx: queries.page(tx, NoticeFilter(), limit=4))
        last = first[3].notice
        rest = await house.store.read(
            lambda tx: queries.page(tx, NoticeFilter(), limit=4, after=(last.subject, last.kind))
        )
        assert sorted(each.notice.subject for each in (*first[:4], *rest)) == ["s0", "s1", "s2", "s3", "s4", "s9"]
        await house.settle()
        clock.advance(91 * 86_400)
        await house.notices.prune()
        assert await house.record() == []

    run(store, clock, body)
