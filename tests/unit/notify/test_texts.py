import msgspec
import pytest

from atalaia.notify.model.message import Item, webhook_document
from atalaia.notify.model.notice import MessageEvent, Subject
from atalaia.notify.model.texts import write_short, write_text, write_title
from tests.unit.notify.samples import NOW, TRANSLATIONS, incident, outgoing


@pytest.mark.parametrize(
    ("event", "locale", "title"),
    [
        (MessageEvent.OPENED, "en", "🔴 Critical: Site is down"),
        (MessageEvent.OPENED, "pt-BR", "🔴 Crítico: Site is down"),
        (MessageEvent.REPEATED, "en", "🔴 Still open after 3 min 12 s: Site is down"),
        (MessageEvent.REPEATED, "pt-BR", "🔴 Ainda aberto há 3 min 12 s: Site is down"),
        (MessageEvent.RECOVERED, "en", "✅ Recovered after 3 min 12 s: Site is down"),
        (MessageEvent.RECOVERED, "pt-BR", "✅ Recuperado após 3 min 12 s: Site is down"),
        (MessageEvent.TEST, "en", "Test message from Atalaia"),
        (MessageEvent.TEST, "pt-BR", "Mensagem de teste do Atalaia"),
    ],
)
def test_a_title_says_what_has_happened(event: MessageEvent, locale: str, title: str) -> None:
    assert outgoing(event, locale=locale).marked_title == title


def test_a_message_carries_reason_contacts_and_the_link() -> None:
    message = outgoing()
    for part in ("HTTP 503", "Site", "team=web", "+55 11 5555-0100", message.lead.url):
        assert part in message.text
        assert part in message.html


def test_why_is_said_in_the_channels_language_and_not_in_codes() -> None:
    portuguese = TRANSLATIONS.translator("pt-BR")
    down = incident(why="Unexpected HTTP status", why_detail="HTTP 503", reason="status_mismatch: HTTP 503")
    left_alone = incident(reason="After several failures it is left alone for 30 s.")
    for told, words in ((down, ("HTTP inesperado", "HTTP 503")), (left_alone, ("30 s",))):
        item = Item(Subject(incident=told), "https://hub.test/incidents/1")
        for text in (
            write_text(MessageEvent.OPENED, [item], translator=portuguese),
            write_short("t", MessageEvent.OPENED, [item], translator=portuguese),
        ):
            assert all(word in text for word in words)
            assert "status_mismatch" not in text
            assert "left alone" not in text


def test_several_incidents_go_as_one_text() -> None:
    message = outgoing(MessageEvent.OPENED, "A is down", "B is down")
    assert message.marked_title == "🔴 2 more incidents"
    assert all(part in message.text for part in ("A is down", "B is down", *(item.url for item in message.items)))


def test_a_long_list_is_cut_and_says_so() -> None:
    message = outgoing(MessageEvent.OPENED, *(f"Site {n}" for n in range(60)))
    assert message.text.endswith("and 10 more")


def test_what_people_typed_is_not_markup() -> None:
    assert "<script>" not in outgoing(MessageEvent.OPENED, "<script>alert(1)</script>").html


def test_the_body_of_a_webhook_is_as_documented() -> None:
    message = outgoing()
    incident_id = message.lead.incident_id
    assert webhook_document(message) == {
        "event": "incident.opened",
        "delivery": "d1",
        "sent_at": "2026-05-01T12:00:00.000Z",
        "incident": {"id": incident_id, "title": "Site is down", "severity": "critical", "state": "open"},
        "check": {"id": "c1", "name": "Site", "state": "down", "labels": {"team": "web"}},
        "url": f"https://hub.test/incidents/{incident_id}",
    }


def test_a_grouped_webhook_lists_all_its_incidents() -> None:
    document = webhook_document(outgoing(MessageEvent.OPENED, "A", "B"))
    assert [entry["incident"]["title"] for entry in document["incidents"]] == ["A", "B"]
    assert document["incidents"][0]["incident"] == document["incident"]


@pytest.mark.parametrize(
    ("key", "name", "expected"),
    [
        ("{name} is down", "Checkout {x}", "Crítico: Checkout {x} está fora do ar"),
        ("Tide is late", ": Ostend", "Crítico: Tide is late: Ostend"),  # of a title that nobody translated
        ("", "", "Crítico: Site is down"),
    ],
)
def test_people_read_the_title_in_the_channels_language(key: str, name: str, expected: str) -> None:
    told = msgspec.structs.replace(incident(), title_key=key, title_name=name)
    item = Item(Subject(incident=told), "https://hub.test/incidents/1")
    translator = TRANSLATIONS.translator("pt-BR")
    assert write_title(MessageEvent.OPENED, (item,), now=NOW, translator=translator) == expected
    title = expected.partition(": ")[2]
    assert f"• {title}\n" in write_text(MessageEvent.OPENED, (item, item), translator=translator)
    assert f"• {title}\n" in write_short("2", MessageEvent.OPENED, (item, item), translator=translator)
