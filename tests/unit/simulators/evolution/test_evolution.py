"""The simulated Evolution API answers as the real one, and keeps a record of what really went out."""

import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from atalaia_simulators.evolution import DEFAULT_KEY, InThread
from atalaia_simulators.evolution.faults import KNOWN
from tests.unit.simulators.evolution.phone import Phone

NUMBER = "5511912345678"
ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture
def phone() -> Iterator[Phone]:
    running = InThread()
    running.start()
    yield Phone(running.url)
    running.close()


def message_of(body: Any) -> Any:
    return body["response"]["message"]


def test_a_text_goes_out_and_is_pending(phone: Phone) -> None:
    status, body = phone.send(NUMBER, "olá")
    assert status == 201
    assert (body["status"], body["key"]["remoteJid"]) == ("PENDING", f"{NUMBER}@s.whatsapp.net")
    assert [(each["number"], each["text"]) for each in phone.messages()] == [(NUMBER, "olá")]


def test_another_instance_and_another_key_are_refused_before_anything(phone: Phone) -> None:
    assert phone.send(NUMBER, "x", instance="other")[0] == 404
    assert phone.send(NUMBER, "x", key="wrong")[0] == 401
    assert phone.state(key="wrong")[0] == 401
    assert phone.messages() == []


def test_what_is_missing_is_named(phone: Phone) -> None:
    status, body = phone.post_raw({"number": NUMBER})
    assert status == 400
    assert message_of(body) == [['instance requires property "text"']]


def test_a_number_that_is_not_on_whatsapp_says_so(phone: Phone) -> None:
    phone.faults(not_on_whatsapp=[NUMBER])
    status, body = phone.send(NUMBER, "x")
    assert status == 400
    assert message_of(body) == [{"jid": f"{NUMBER}@s.whatsapp.net", "exists": False, "number": NUMBER}]
    assert phone.send("5511911111111", "x")[0] == 201


@pytest.mark.parametrize(("fault", "count"), [("fail_after_send", 1), ("fail_before_send", 0)])
def test_a_400_does_not_tell_whether_it_went_out(phone: Phone, fault: str, count: int) -> None:
    phone.faults(**{fault: {"value": True, "times": 1}})
    assert phone.send(NUMBER, "x")[0] == 400
    assert len(phone.messages()) == count


@pytest.mark.parametrize(("fault", "count"), [("cut_after_send", 1), ("cut_before_send", 0)])
def test_a_cut_does_not_tell_either(phone: Phone, fault: str, count: int) -> None:
    phone.faults(**{fault: {"value": True, "times": 1}})
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        phone.send(NUMBER, "x")
    assert len(phone.messages()) == count


@pytest.mark.parametrize("state", ["connecting", "close"])
def test_nothing_goes_out_while_it_is_not_connected(phone: Phone, state: str) -> None:
    phone.faults(state=state)
    assert phone.state()[1]["instance"]["state"] == state
    assert phone.send(NUMBER, "x")[0] == 400
    assert phone.messages() == []


def test_a_status_can_be_had_for_one_request(phone: Phone) -> None:
    phone.faults(status={"value": 502, "times": 1, "only": {"path": "/message/sendText/atalaia"}})
    assert phone.state()[0] == 200
    assert phone.send(NUMBER, "x") == (502, None)
    assert phone.send(NUMBER, "x")[0] == 201


def test_a_status_that_is_none_is_refused(phone: Phone) -> None:
    assert phone.client.post("/_sim/faults", {"status": 20}).status == 400


def test_a_reset_forgets_everything(phone: Phone) -> None:
    phone.faults(state="close")
    phone.send(NUMBER, "x")
    assert [entry["apikey"] for entry in phone.log()] == [DEFAULT_KEY]
    phone.client.post("/_sim/reset", {})
    assert phone.log() == []
    assert phone.send(NUMBER, "x")[0] == 201


def test_its_faults_are_documented() -> None:
    page = (ROOT / "docs" / "integrations" / "evolution-simulator.md").read_text(encoding="utf-8")
    assert [name for name in KNOWN if f"| `{name}` |" not in page] == []


def test_who_writes_to_the_phone_is_told_of_to_who_listens(phone: Phone) -> None:
    """Here to the simulator itself, which knows no such address and keeps what it heard."""
    given = {"number": NUMBER, "text": "SAIR", "url": f"{phone.url}/listening", "headers": {"apikey": "k"}, "id": "A1"}
    answered = phone.client.post("/_sim/answers", given)
    assert (answered.status, answered.json["status"]) == (200, 404)
    (heard,) = phone.log()
    told = json.loads(heard["raw"])
    assert (told["event"], told["instance"], heard["apikey"]) == ("messages.upsert", "atalaia", "k")
    assert (told["data"]["key"]["remoteJid"], told["data"]["key"]["fromMe"]) == (f"{NUMBER}@s.whatsapp.net", False)
    assert told["data"]["message"] == {"conversation": "SAIR"}
    assert phone.client.post("/_sim/answers", {"number": NUMBER}).status == 400
