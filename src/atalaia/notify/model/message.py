"""What a message is about, and the forms that transports give it."""

from dataclasses import dataclass
from typing import Any

from atalaia.core.formats import iso
from atalaia.notify.model.notice import Subject
from atalaia.sdk.channels import ChannelMessage, MessageCheck, MessageItem


@dataclass(frozen=True, slots=True)
class Item:
    subject: Subject
    url: str


def shown_item(item: Item) -> MessageItem:
    """As a kind of channel is given it."""
    incident, check = item.subject.incident, item.subject.check
    return MessageItem(
        incident_id=incident.id,
        title=incident.title,
        severity=incident.severity.value,
        state=incident.state,
        url=item.url,
        reason=incident.reason,
        check=None
        if check is None
        else MessageCheck(id=check.id, name=check.name, state=check.state, labels=dict(check.labels)),
    )


def webhook_document(message: ChannelMessage) -> dict[str, Any]:
    """The body that docs/guides/webhooks.md describes; `incidents` is there when several go as one."""
    document = {
        "event": message.event,
        "delivery": message.delivery,
        "sent_at": iso(message.sent_at),
        **_item_document(message.lead),
    }
    if len(message.items) > 1:
        document["incidents"] = [_item_document(item) for item in message.items]
    return document


def _item_document(item: MessageItem) -> dict[str, Any]:
    check = item.check
    return {
        "incident": {
            "id": item.incident_id,
            "title": item.title,
            "severity": item.severity,
            "state": item.state,
        },
        "check": None
        if check is None
        else {"id": check.id, "name": check.name, "state": check.state, "labels": dict(check.labels)},
        "url": item.url,
    }
