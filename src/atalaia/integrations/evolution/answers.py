"""What people write back: the Evolution API tells of it (webhook, event `MESSAGES_UPSERT`), and whoever sends messages hears it.

Source: the webhook of Evolution API 2.3: `{event, instance, data: {key: {remoteJid, fromMe, id}, message, messageTimestamp}}`.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from atalaia.core.errors import InvalidField
from atalaia.core.permissions import Permission
from atalaia.core.translations import N_
from atalaia.integrations.evolution.numbers import read_number
from atalaia.sdk.integration import Host, Reply, Request, Route
from atalaia.sdk.messages import MessageReceived
from atalaia.sdk.transaction import Tx

PATH: Final = "/api/evolution/events"
_EVENT: Final = "messages.upsert"
_PERSON: Final = "@s.whatsapp.net"
_LONGEST: Final = 1000
_MOST: Final = 100


class _Key(msgspec.Struct, rename="camel"):
    remote_jid: str = ""
    remote_jid_alt: str = ""
    sender_pn: str = ""
    from_me: bool = False
    id: str = ""


class _Message(msgspec.Struct, rename="camel"):
    key: _Key
    message: dict[str, Any] | None = None
    message_timestamp: float | str | None = None


class _Told(msgspec.Struct):
    event: str
    instance: str
    data: Any = None


class Answers:
    def __init__(self, host: Host, *, kind: str) -> None:
        self._host = host
        self._kind = kind

    def routes(self) -> tuple[Route, ...]:
        return (Route("POST", PATH, Permission.PINGS_WRITE, self.take, document=_DOCUMENT),)

    async def take(self, request: Request) -> Reply:
        """200 after the commit; what is of another event, of another kind or from a group is passed over."""
        told = request.json(_Told)
        if not told.instance or told.instance != str(self._host.setting("instance")):
            raise InvalidField("instance", N_("not the instance of this hub"))
        found = list(self._read(told)) if told.event.lower().replace("_", ".") == _EVENT else []

        def unit(tx: Tx) -> None:
            for each in found:
                tx.emit(each)

        if found:
            await self._host.write(unit)
        return Reply({"taken": len(found)})

    def _read(self, told: _Told) -> Iterator[MessageReceived]:
        """Raises: InvalidField."""
        listed = told.data if isinstance(told.data, list) else [told.data]
        for given in listed[:_MOST]:
            try:
                message = msgspec.convert(given, _Message)
            except msgspec.ValidationError as error:
                raise InvalidField("data", "{why}", why=str(error)) from error
            number, text = _number_of(message.key), _text_of(message.message or {})
            if number is not None and text and not message.key.from_me:
                at = _at(message.message_timestamp, now=self._host.clock.now())
                yield MessageReceived(kind=self._kind, sender=number, text=text[:_LONGEST], id=message.key.id, at=at)


def _number_of(key: _Key) -> str | None:
    """None of groups and broadcasts. Of one who has hidden the number it stands beside the address."""
    for address in (key.remote_jid, key.remote_jid_alt, key.sender_pn):
        digits, found, _ = address.partition(_PERSON)
        if found:
            try:
                return read_number("+" + digits.partition(":")[0])  # behind a colon: which of somebody's devices
            except InvalidField:
                return None
    return None


def _text_of(message: dict[str, Any]) -> str:
    extended = message.get("extendedTextMessage")
    texts = (message.get("conversation"), extended.get("text") if isinstance(extended, dict) else None)
    return next((text.strip() for text in texts if isinstance(text, str)), "")


def _at(told: float | str | None, *, now: datetime) -> datetime:
    """Ours where nothing that can be is told; never later than now."""
    try:
        at = datetime.fromtimestamp(float(told or 0), UTC)
    except (ValueError, OverflowError, OSError):
        return now
    return at if timedelta() <= now - at <= timedelta(days=30) else now


_TEXT: Final = {"type": "string"}
_DOCUMENT: Final = {
    "summary": "What people answer on WhatsApp, as the Evolution API tells it (webhook, MESSAGES_UPSERT)",
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["event", "instance"],
                    "properties": {"event": _TEXT, "instance": _TEXT, "data": {"type": ["object", "array", "null"]}},
                }
            }
        },
    },
    "responses": {
        "200": {
            "description": "How many messages were taken",
            "content": {
                "application/json": {"schema": {"type": "object", "properties": {"taken": {"type": "integer"}}}}
            },
        },
        "422": {"description": "It can't be read, or is of another instance"},
    },
}
