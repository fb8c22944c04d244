from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from atalaia.core.ids import new_id
from atalaia.core.translations import Translations
from atalaia.notify.channels.tools import Tools
from atalaia.notify.model.message import Item, shown_item
from atalaia.notify.model.notice import CheckBrief, IncidentBrief, MessageEvent, Subject
from atalaia.notify.model.severity import Severity
from atalaia.notify.model.texts import mark_of, write_html, write_short, write_text, write_title
from atalaia.outbound.guard import Guard
from atalaia.outbound.http import HttpClient
from atalaia.sdk.channels import ChannelMessage

NOW = datetime(2026, 5, 1, 12, 0, 0, tzinfo=UTC)
TRANSLATIONS = Translations.load()
# For what sends nothing.
IDLE = Tools(http=HttpClient(Guard()), guard=Guard(), threads=ThreadPoolExecutor(1))


def incident(
    title: str = "Site is down", *, severity: Severity = Severity.CRITICAL, state: str = "open", **more: str
) -> IncidentBrief:
    known = IncidentBrief(
        id=new_id(),
        title=title,
        severity=severity,
        state=state,
        opened_at=NOW - timedelta(minutes=3, seconds=12),
        reason="HTTP 503",
        contacts="Ana, +55 11 5555-0100",
    )
    return replace(known, **more)


def check(**labels: str) -> CheckBrief:
    return CheckBrief(id="c1", name="Site", state="down", labels=labels)


def items(*titles: str) -> tuple[Item, ...]:
    found = [Subject(incident=incident(title), check=check(team="web")) for title in titles or ("Site is down",)]
    return tuple(Item(subject, f"https://hub.test/incidents/{subject.incident.id}") for subject in found)


def outgoing(event: MessageEvent = MessageEvent.OPENED, *titles: str, locale: str = "en") -> ChannelMessage:
    translator = TRANSLATIONS.translator("pt-BR" if locale == "pt-BR" else "en")
    told = items(*titles)
    title = write_title(event, told, now=NOW, translator=translator)
    text = write_text(event, told, translator=translator)
    return ChannelMessage(
        delivery="d1",
        event=event.value,
        sent_at=NOW,
        items=tuple(shown_item(item) for item in told),
        locale=translator.locale,
        title=title,
        mark=mark_of(event, told),
        text=text,
        html=write_html(title, text, told),
        short=write_short(mark_of(event, told) + title, event, told, translator=translator),
    )


@contextmanager
def tools(*, allow_private: bool = True) -> Iterator[Tools]:
    """Close `tools.http` in the loop that used it."""
    guard = Guard(allow_private=allow_private)
    with ThreadPoolExecutor(2) as threads:
        yield Tools(http=HttpClient(guard), guard=guard, threads=threads)
