"""Who waits for a charger, who opts in and out, and the record of what they were told."""

import asyncio
from functools import partial
from typing import Any

import pytest
from msgspec.structs import replace

from atalaia.core.errors import InvalidField, NotFound
from atalaia.core.permissions import SYSTEM
from atalaia.integrations.cvepro.model.notices import Fate, NoticeKind
from atalaia.integrations.cvepro.queries import notices as queries
from atalaia.integrations.cvepro.queries.notices import NoticeFilter
from atalaia.integrations.cvepro.queries.residents import find
from atalaia.integrations.cvepro.service.notices import opt_in, opt_out
from atalaia.integrations.cvepro.service.telling import Change
from atalaia.sdk.transaction import Tx
from atalaia.store.store import Store
from tests.conftest import MakeStore
from tests.fakes import FakeClock
from tests.store.notices_house import ANA, BIA, MINUTE, NOON, SESSION, House, ended, resident, run


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOON)


@pytest.fixture
def store(make_store: MakeStore) -> Store:
    return make_store("access", "notify", "integrations/cvepro")


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


def test_who_opts_out_at_night_hears_nothing_in_the_morning(store: Store, clock: FakeClock) -> None:
    async def body(house: House) -> None:
        host: Any = house
        clock.advance(11 * 3600)
        await house.keep(ended(stopped_at=clock.now()))
        await house.write(lambda tx: opt_out(host, tx, "1", by=SYSTEM))
        await house.pass_s(9 * 3600)
        await house.settle()
        assert (house.phones.sent, await house.fates()) == ([], [("ended", "withdrawn")])

    run(store, clock, body)


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
        await house.settle()
        for wanted, count in (
            ({"kind": "ended"}, 1),
            ({"q": "sou"}, 6),
            ({"q": "bia"}, 0),
            ({"fate": "delivered"}, 6),
            ({"fate": "refused"}, 0),
        ):
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
