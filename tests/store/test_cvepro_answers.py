"""A resident who answers SAIR gets no more notices, and is told so once; nobody else's are touched. On both engines."""

from typing import Any, cast

import pytest

from atalaia.core.permissions import SYSTEM
from atalaia.integrations.cvepro.queries.residents import find
from atalaia.integrations.cvepro.service.answers import Answers, is_stop, numbers_of
from atalaia.integrations.cvepro.service.notices import opt_in
from atalaia.sdk.integration import Host
from atalaia.sdk.messages import MessageReceived
from atalaia.store.store import Store
from tests.conftest import MakeStore
from tests.fakes import FakeClock
from tests.store.notices_house import ANA, BIA, HOUR, MINUTE, NOON, SESSION, House, ended, resident, run

PEOPLE = [resident("1", "Ana Souza", ANA), resident("2", "Bia Lima", BIA), resident("3", "Caio Souza", ANA)]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOON)


@pytest.fixture
def store(make_store: MakeStore) -> Store:
    return make_store("access", "notify", "integrations/cvepro")


async def write_back(house: House, text: str, sender: str = ANA, **given: Any) -> None:
    answers = Answers(cast("Host", house), house.notices.link)
    message = {"kind": "whatsapp", "id": "A1", "at": house.clock.now(), **given}
    await house.write(lambda tx: answers.on_received(tx, MessageReceived(sender=sender, text=text, **message)))


async def listening(house: House) -> list[str]:
    found = await house.store.read(lambda tx: [find(tx, each) for each in ("1", "2", "3")])
    return [each.id for each in found if each and each.opted_in_at]


def test_sair_ends_the_notices_of_that_number_and_is_confirmed_once(store: Store, clock: FakeClock) -> None:
    async def body(house: House) -> None:
        house.phones.answers = True
        await house.keep(SESSION)
        await house.settle(then_s=60)
        assert "Para parar, responda SAIR ou desative-os em https://hub.test/cvepro/mine." in house.phones.sent[0][1]
        for _ in range(3):  # it is told again until it is acknowledged
            await write_back(house, " Sair! ", "+551112345678")  # as WhatsApp has the line: without its ninth digit
        assert await listening(house) == ["2"]
        await house.settle(then_s=101 * 60)
        await house.keep(ended())
        await house.settle()
        (_, done) = house.phones.sent
        assert done == (ANA, done[1])
        assert done[1].startswith("Pronto: você não recebe mais avisos de recarga.")
        assert house.audited == ["cvepro.resident_opted_out"] * 2

    run(store, clock, body, people=PEOPLE)


def test_what_still_waits_is_not_sent(store: Store, clock: FakeClock) -> None:
    async def body(house: House) -> None:
        clock.advance(11 * 3600)  # into the quiet hours
        late = clock.now()
        await house.keep(SESSION, ended(started_at=late - HOUR, stopped_at=late - MINUTE))
        await write_back(house, "parar")
        await house.settle(then_s=12 * 3600)
        await house.settle()
        assert [text[:7] for _, text in house.phones.sent] == ["Pronto:"]

    run(store, clock, body, people=PEOPLE)


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ("não vou sair", {}),
        ("", {}),
        ("obrigada", {}),
        ("SAIR", {"kind": "sms"}),
        ("SAIR", {"sender": "+5531900000000"}),
    ],
    ids=str,
)
def test_anything_else_switches_nothing(store: Store, clock: FakeClock, text: str, given: dict[str, Any]) -> None:
    async def body(house: House) -> None:
        await write_back(house, text, **given)
        assert await listening(house) == ["1", "2", "3"]
        await house.settle()
        assert house.phones.sent == []

    run(store, clock, body, people=PEOPLE)


def test_an_old_answer_that_is_told_again_does_not_end_what_was_agreed_to_since(store: Store, clock: FakeClock) -> None:
    async def body(house: House) -> None:
        written_at = clock.now()
        await write_back(house, "SAIR", at=written_at)
        clock.advance(60)
        await house.write(lambda tx: opt_in(cast("Host", house), tx, "1", ["ended"], by=SYSTEM))
        await write_back(house, "SAIR", at=written_at)
        assert await listening(house) == ["1", "2"]

    run(store, clock, body, people=PEOPLE)


@pytest.mark.parametrize("text", ["SAIR", "sair", "Sair.", "  SAIR\n", "*sair*", "Pare!", "STOP", "s a i r"])
def test_words_that_stop(text: str) -> None:
    assert is_stop(text)


def test_a_number_abroad_is_one_number() -> None:
    assert numbers_of("+351912345678") == ("+351912345678",)
    assert set(numbers_of("+5511912345678")) == {"+5511912345678", "+551112345678"}
