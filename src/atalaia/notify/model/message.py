"""One message to one channel, ready to be put into a transport's form."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from atalaia.core.formats import iso
from atalaia.core.translations import Locale
from atalaia.notify.model.notice import MessageEvent, Subject


@dataclass(frozen=True, slots=True)
class Item:
    subject: Subject
    url: str


@dataclass(frozen=True, slots=True)
class Outgoing:
    """`delivery` stays the same over retries: the receiver's key against doubles. `items` has one or more."""

    delivery: str
    event: MessageEvent
    sent_at: datetime
    items: tuple[Item, ...]
    locale: Locale
    title: str
    mark: str
    text: str
    html: str

    @property
    def marked_title(self) -> str:
        return self.mark + self.title

    @property
    def lead(self) -> Item:
        return self.items[0]


def webhook_document(message: Outgoing) -> dict[str, Any]:
    """The body that docs/guides/webhooks.md describes; `incidents` is there when several go as one."""
    document = {
        "event": message.event.value,
        "delivery": message.delivery,
        "sent_at": iso(message.sent_at),
        **_item_document(message.lead),
    }
    if len(message.items) > 1:
        document["incidents"] = [_item_document(item) for item in message.items]
    return document


def _item_document(item: Item) -> dict[str, Any]:
    incident, check = item.subject.incident, item.subject.check
    return {
        "incident": {
            "id": incident.id,
            "title": incident.title,
            "severity": incident.severity.value,
            "state": incident.state,
        },
        "check": None
        if check is None
        else {"id": check.id, "name": check.name, "state": check.state, "labels": dict(check.labels)},
        "url": item.url,
    }
