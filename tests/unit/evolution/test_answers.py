"""What people write back, as the Evolution API tells it: a person's text is read, other things passed over, what is not ours refused."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from atalaia.core.errors import BadInput, InvalidField
from atalaia.core.permissions import SYSTEM
from atalaia.integrations.evolution.answers import PATH, Answers
from atalaia.sdk.integration import Host, Request
from atalaia.sdk.messages import MessageReceived
from atalaia_simulators.evolution.answers import upsert
from tests.fakes import FakeClock

NOW = datetime(2026, 1, 15, 15, tzinfo=UTC)
NUMBER = "5511912345678"


class Hub:
    """sdk.integration.Host, as far as answers need it; also the transaction."""

    def __init__(self) -> None:
        self.clock = FakeClock(NOW)
        self.heard: list[MessageReceived] = []

    def setting(self, _name: str) -> str:
        return "atalaia"

    async def write(self, unit: Any) -> Any:
        return unit(self)

    def emit(self, event: MessageReceived) -> None:
        self.heard.append(event)


def told(body: Any) -> tuple[Any, list[MessageReceived]]:
    hub = Hub()
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = Request("POST", PATH, {}, {}, {}, raw, SYSTEM, None)
    reply = asyncio.run(Answers(cast("Host", hub), kind="whatsapp").take(request))
    return reply.body, hub.heard


def message(text: str = "SAIR", **key: Any) -> dict[str, Any]:
    body = upsert(instance="atalaia", number=NUMBER, text=text, id="A1")
    body["data"]["key"] |= key
    body["data"]["messageTimestamp"] = int(NOW.timestamp()) - 5
    return body


def test_a_text_is_heard_with_its_number_and_time() -> None:
    body, (heard,) = told(message(" Sair. "))
    assert body == {"taken": 1}
    assert (heard.kind, heard.sender, heard.text, heard.id) == ("whatsapp", "+" + NUMBER, "Sair.", "A1")
    assert (NOW - heard.at).total_seconds() == 5


@pytest.mark.parametrize(
    "key",
    [
        {"remoteJid": "123456@lid", "remoteJidAlt": f"{NUMBER}@s.whatsapp.net"},
        {"remoteJid": "123456@lid", "senderPn": f"{NUMBER}@s.whatsapp.net"},
        {"remoteJid": f"{NUMBER}:12@s.whatsapp.net"},
    ],
    ids=str,
)
def test_the_number_is_found_where_the_address_is_none(key: dict[str, Any]) -> None:
    assert [each.sender for each in told(message(**key))[1]] == ["+" + NUMBER]


def test_a_longer_form_and_a_list_of_messages_are_read_too() -> None:
    body = message()
    body["data"]["message"] = {"extendedTextMessage": {"text": "parar"}}
    body["event"], body["data"] = "MESSAGES_UPSERT", [body["data"], body["data"]]
    assert [each.text for each in told(body)[1]] == ["parar", "parar"]


@pytest.mark.parametrize(
    "change",
    [
        {"event": "connection.update", "data": {"state": "open"}},
        {"event": "connection.update", "data": None},
        message(fromMe=True),
        message(remoteJid="1203630@g.us"),
        message(remoteJid="status@broadcast"),
        message(text="  "),
        {"data": {**message()["data"], "message": {"imageMessage": {"caption": "SAIR"}}}},
        {"data": {**message()["data"], "message": None}},
    ],
    ids=str,
)
def test_what_is_no_persons_text_is_passed_over(change: dict[str, Any]) -> None:
    assert told({**message(), **change}) == ({"taken": 0}, [])


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"no json", BadInput),
        (b"[]", InvalidField),
        ({**message(), "instance": "another"}, InvalidField),
        ({**message(), "data": "?"}, InvalidField),
        ({**message(), "data": {"key": 7}}, InvalidField),
        ({"event": "messages.upsert"}, InvalidField),
    ],
    ids=str,
)
def test_what_can_not_be_read_is_refused(body: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        told(body)


@pytest.mark.parametrize("timestamp", [None, "soon", 1e30, -1e30, 0, 4_000_000_000])
def test_a_time_that_can_not_be_is_ours(timestamp: Any) -> None:
    body = message()
    body["data"]["messageTimestamp"] = timestamp
    assert told(body)[1][0].at == NOW
