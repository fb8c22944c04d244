"""What residents are told: who asked for it, once, of what is news, outside quiet hours; and what became of it."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from atalaia.core.errors import InvalidField
from atalaia.core.permissions import SYSTEM
from atalaia.integrations.cvepro.model.notices import NoticeKind
from atalaia.integrations.cvepro.model.sessions import Session
from atalaia.integrations.cvepro.queries.residents import find
from atalaia.integrations.cvepro.service.keeping import keep_sessions
from atalaia.integrations.cvepro.tables import residents
from atalaia.sdk.failures import NoSuchAddress, TemporaryFailure
from atalaia.store.store import Store
from tests.conftest import MakeStore
from tests.fakes import FakeClock
from tests.store.notices_house import ANA, BIA, HOUR, MINUTE, NOON, SESSION, House, ended, resident, run


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOON)


@pytest.fixture
def store(make_store: MakeStore) -> Store:
    return make_store("access", "notify", "integrations/cvepro")


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
        await house.keep(replace(SESSION, started_at=NOON - HOUR))
        await house.charger("SuspendedEV", at=clock.now() - 2 * MINUTE)
        assert [kind for kind, _ in await house.fates()] == ["started"]
        await house.pass_s(60)
        await house.charger("SuspendedEV", at=clock.now() - 3 * MINUTE)
        assert [kind for kind, _ in await house.fates()] == ["started", "full"]

    run(store, clock, body)


def test_a_car_is_not_full_since_before_it_came(store: Store, clock: FakeClock) -> None:
    async def body(house: House) -> None:
        before = clock.now() - 20 * MINUTE  # the last car's rest: the charger has told no change since
        await house.keep(SESSION)
        await house.charger("SuspendedEV", at=before)
        assert [kind for kind, _ in await house.fates()] == ["started"]
        await house.pass_s(120)
        await house.charger("SuspendedEV", at=before)
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
