"""WhatsApp from a failing check to the phone: once, in Portuguese; what is unknown and what fails is told another way."""

import urllib.parse
from collections.abc import Iterator
from typing import Any

import pytest

from atalaia_simulators.evolution import DEFAULT_INSTANCE, DEFAULT_KEY, InThread
from tests.acceptance.calls import Client
from tests.acceptance.conftest import MakeHub
from tests.acceptance.hub import Hub
from tests.acceptance.receiver import Receiver
from tests.servers import wait_until
from tests.unit.simulators.evolution.phone import Phone

NUMBER = "5511912345678"
OTHER = "5521987654321"
JOB = {"name": "Fechamento", "kind": "heartbeat", "period_s": 3600, "grace_s": 3600, "failures_to_down": 1}
SEND = {"only": {"path": "/message/sendText/atalaia"}}


@pytest.fixture
def phone() -> Iterator[Phone]:
    simulator = InThread()
    simulator.start()
    yield Phone(simulator.url)
    simulator.close()


@pytest.fixture
def hub(make_hub: MakeHub, phone: Phone) -> Hub:
    env = {
        "ATALAIA_EVOLUTION_BASE_URL": phone.url,
        "ATALAIA_EVOLUTION_API_KEY": DEFAULT_KEY,
        "ATALAIA_EVOLUTION_INSTANCE": DEFAULT_INSTANCE,
        "ATALAIA_EVOLUTION_ASK_EVERY_S": "1",
        "ATALAIA_EVOLUTION_CLOSED_AFTER_S": "1",
    }
    return make_hub(env=env).start()


class Office:
    """Two channels that hear of everything, and a job whose failures they hear of."""

    def __init__(self, hub: Hub, receiver: Receiver, *numbers: str) -> None:
        self.hub = hub
        self.client = hub.client("read", "write")
        whatsapp = {"name": "plantão", "kind": "whatsapp", "locale": "pt-BR", "fields": {"numbers": list(numbers)}}
        webhook = {"name": "sink", "kind": "webhook", "url": receiver.url, "secret": "s" * 32}
        self.channel, sink = (self.client.made("/api/channels", each) for each in (whatsapp, webhook))
        for channel in (self.channel, sink):
            self.client.made("/api/routes", {"channel": channel["id"], "group_wait_s": 0})
        check = self.client.made("/api/checks", JOB)
        self._ping = urllib.parse.urlsplit(check["ping_url"]).path

    def fail(self) -> None:
        assert Client(self.hub.url).get(f"{self._ping}/fail").status == 200

    def recover(self) -> None:
        assert Client(self.hub.url).get(self._ping).status == 200

    def deliveries(self) -> list[dict[str, Any]]:
        """To WhatsApp, the oldest first."""
        return self.client.items(f"/api/deliveries?channel={self.channel['id']}")[::-1]

    def await_deliveries(self, count: int) -> list[dict[str, Any]]:
        wait_until(lambda: len(self.deliveries()) >= count, what=f"{count} deliveries", timeout_s=60)
        return self.deliveries()

    def outcomes(self) -> list[tuple[str, str]]:
        return [(each["target"], each["outcome"]) for each in self.deliveries()]


def titles(receiver: Receiver, event: str) -> list[str]:
    return [each.json["incident"]["title"] for each in receiver.deliveries if each.event == event]


def await_title(receiver: Receiver, event: str, start: str) -> None:
    wait_until(lambda: any(each.startswith(start) for each in titles(receiver, event)), what=start, timeout_s=60)


def test_a_failing_job_and_its_recovery_reach_each_phone_once(hub: Hub, phone: Phone, receiver: Receiver) -> None:
    office = Office(hub, receiver, f"+{NUMBER}", "55 (21) 98765-4321")
    office.fail()
    office.await_deliveries(2)
    office.recover()
    office.await_deliveries(4)
    assert office.outcomes() == [(f"+{NUMBER}", "delivered"), (f"+{OTHER}", "delivered")] * 2
    went_out = phone.messages()
    assert [each["number"] for each in went_out] == [NUMBER, OTHER] * 2
    opened, recovered = went_out[0]["text"], went_out[2]["text"]
    assert opened.startswith("🔴 Crítico: Fechamento")
    assert opened.splitlines()[-1].startswith(f"{hub.url}/incidents/")
    assert recovered.startswith("✅ Recuperado")
    wait_until(lambda: office.client.get("/health").json["checks"]["evolutionApi"] is True, what="health")


def test_a_400_is_shown_as_unknown_told_and_never_sent_again(hub: Hub, phone: Phone, receiver: Receiver) -> None:
    phone.faults(fail_after_send={"value": True, "times": 1})
    office = Office(hub, receiver, f"+{NUMBER}")
    office.fail()
    (delivery,) = office.await_deliveries(1)
    assert delivery["outcome"] == "unknown"
    assert "Timed Out" in delivery["status"]
    await_title(receiver, "incident.opened", "Messages do not get through: plantão")
    hub.kill()
    hub.start()
    office.recover()
    office.await_deliveries(2)
    assert len([text for text in phone.texts() if "Crítico: Fechamento" in text]) == 1
    timeline = office.client.get(f"/api/incidents/{delivery['incident']}").json["timeline"]
    assert "message_unknown" in {entry["kind"] for entry in timeline}


def test_a_number_that_is_not_on_whatsapp_says_so_and_the_other_hears(
    hub: Hub, phone: Phone, receiver: Receiver
) -> None:
    phone.faults(not_on_whatsapp=[OTHER])
    office = Office(hub, receiver, f"+{OTHER}", f"+{NUMBER}")
    office.fail()
    first, _ = office.await_deliveries(2)[:2]
    assert office.outcomes()[:2] == [(f"+{OTHER}", "dead"), (f"+{NUMBER}", "delivered")]
    assert first["status"] == f"+{OTHER} is not on WhatsApp."
    await_title(receiver, "incident.opened", "Messages do not get through: plantão")
    assert {each["number"] for each in phone.messages()} == {NUMBER}


def test_a_closed_connection_is_an_incident_elsewhere_and_messages_wait_for_its_return(
    hub: Hub, phone: Phone, receiver: Receiver
) -> None:
    office = Office(hub, receiver, f"+{NUMBER}")
    phone.faults(state="close")
    await_title(receiver, "incident.opened", "WhatsApp is not connected: atalaia")
    wait_until(lambda: not office.client.get("/health").json["checks"]["evolutionApi"], what="health")
    assert office.client.get("/health").status == 200
    office.fail()
    await_title(receiver, "incident.opened", "Fechamento")
    assert phone.messages() == []
    phone.faults(state=None)
    await_title(receiver, "incident.recovered", "WhatsApp is not connected: atalaia")
    wait_until(lambda: any("Fechamento" in text for text in phone.texts()), what="the message", timeout_s=60)
    assert len([text for text in phone.texts() if "Crítico: Fechamento" in text]) == 1


def test_a_hub_that_is_killed_while_a_message_goes_out_sends_it_once(
    hub: Hub, phone: Phone, receiver: Receiver
) -> None:
    phone.faults(delay_ms={"value": 20_000, **SEND})
    office = Office(hub, receiver, f"+{NUMBER}")
    office.fail()
    wait_until(lambda: bool(phone.messages()), what="the message", timeout_s=60)
    hub.kill()
    phone.faults(delay_ms=None)
    hub.start()
    (delivery, *_) = office.await_deliveries(1)
    assert delivery["outcome"] == "unknown"
    assert len([text for text in phone.texts() if "Crítico: Fechamento" in text]) == 1
