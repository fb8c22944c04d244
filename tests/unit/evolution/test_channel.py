"""A message to a phone is short, in the channel's language, with a link; and goes out only while WhatsApp is connected."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from atalaia.core.errors import InvalidField
from atalaia.integrations.evolution.api import EvolutionApi
from atalaia.integrations.evolution.channel import WhatsApp
from atalaia.notify.model.notice import MessageEvent
from atalaia.sdk.channels import DirectMessage
from atalaia.sdk.failures import NoSuchAddress, TemporaryFailure
from tests.unit.evolution.ground import NUMBER, a_phone, drive
from tests.unit.notify.samples import NOW, outgoing
from tests.unit.simulators.evolution.phone import Phone

VALUES = {"numbers": [f"+{NUMBER}"]}


@pytest.fixture
def phone() -> Iterator[Phone]:
    with a_phone() as phone:
        yield phone


def sent(phone: Phone, event: MessageEvent, *titles: str, locale: str = "pt-BR") -> list[str]:
    async def act(api: EvolutionApi) -> str:
        message = replace(outgoing(event, *titles, locale=locale), target=f"+{NUMBER}")
        kind = WhatsApp(api)
        await kind.await_open(VALUES)
        return await kind.send(VALUES, message)

    drive(phone.url, act)
    return phone.texts()[-1].splitlines()


def test_an_incident_is_told_in_three_lines(phone: Phone) -> None:
    title, why, link = sent(phone, MessageEvent.OPENED)
    assert title == "🔴 Crítico: Site is down"
    assert why == "HTTP 503"
    assert link.startswith("https://hub.test/incidents/")


def test_a_recovery_is_told_in_two(phone: Phone) -> None:
    title, link = sent(phone, MessageEvent.RECOVERED, locale="en")
    assert title.startswith("✅ Recovered after 3 min")
    assert link.startswith("https://hub.test/incidents/")


def test_of_many_incidents_the_first_are_named(phone: Phone) -> None:
    lines = sent(phone, MessageEvent.OPENED, *(f"Loja {number}" for number in range(9)))
    assert len(lines) == 1 + 5 * 2 + 1
    assert "4" in lines[-1]


def test_it_stays_short(phone: Phone) -> None:
    assert len("\n".join(sent(phone, MessageEvent.OPENED, "longo " * 500))) < 500


def test_nothing_is_sent_while_it_is_not_connected(phone: Phone) -> None:
    phone.faults(state="close")
    with pytest.raises(TemporaryFailure) as failed:
        sent(phone, MessageEvent.OPENED)
    assert not failed.value.may_have_arrived
    assert [entry["method"] for entry in phone.log()] == ["GET"]


def told(phone: Phone, to: str, text: str) -> str:
    async def act(api: EvolutionApi) -> str:
        kind = WhatsApp(api)
        assert kind.is_ready()
        message = DirectMessage(delivery="d", to=kind.check_address(to), subject="s", text=text, sent_at=NOW)
        await kind.await_open({})
        return await kind.send_direct({}, message)

    return str(drive(phone.url, act))


def test_a_person_is_told_the_text_alone_however_the_number_is_written(phone: Phone) -> None:
    assert told(phone, "+55 (11) 91234-5678", "Olá\nAna") == "201 PENDING"
    assert [(each["number"], each["text"]) for each in phone.messages()] == [(NUMBER, "Olá\nAna")]


def test_a_person_is_told_nothing_while_it_is_not_connected(phone: Phone) -> None:
    phone.faults(state="connecting")
    with pytest.raises(TemporaryFailure):
        told(phone, f"+{NUMBER}", "Olá")
    assert [entry["method"] for entry in phone.log()] == ["GET"]


def test_a_person_whose_number_is_not_on_whatsapp_is_nobody(phone: Phone) -> None:
    phone.faults(not_on_whatsapp=[NUMBER])
    with pytest.raises(NoSuchAddress):
        told(phone, f"+{NUMBER}", "Olá")


def test_what_can_not_be_a_number_is_refused_before_it_is_queued(phone: Phone) -> None:
    with pytest.raises(InvalidField) as refused:
        told(phone, "91234", "Olá")
    assert refused.value.field == "to"
