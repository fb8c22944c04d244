"""What the Evolution API says, in its own words and forms."""

import json
import time
from http import HTTPStatus
from typing import Any, Final

from aiohttp import web

# What a proxy in front of it says: no JSON.
_PROXY: Final = frozenset({HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT})


def as_json(value: Any, *, status: int = 200) -> web.Response:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return web.Response(text=text, status=status, content_type="application/json")


def failure(status: int, message: Any) -> web.Response:
    """`message` is a text for a fault of the server, and a list for what was wrong with the request."""
    body = {"status": status, "error": HTTPStatus(status).phrase, "response": {"message": message}}
    return as_json(body, status=status)


def failure_of(status: int, *, instance: str) -> web.Response:
    """As it would say this status."""
    if status in _PROXY:
        page = f"<html><head><title>{status} {HTTPStatus(status).phrase}</title></head></html>"
        return web.Response(text=page, status=status, content_type="text/html")
    match status:
        case HTTPStatus.UNAUTHORIZED:
            return failure(status, "Unauthorized")
        case HTTPStatus.NOT_FOUND:
            return failure(status, [f'The "{instance}" instance does not exist'])
        case _:
            known = status in {each.value for each in HTTPStatus}
            return failure(status, HTTPStatus(status).phrase) if known else as_json({}, status=status)


def sent(message: dict[str, Any]) -> web.Response:
    """201: the server has handed it on; whether it arrives is told later, to who listens."""
    body = {
        "key": {"remoteJid": jid_of(message["number"]), "fromMe": True, "id": message["id"]},
        "pushName": "",
        "status": "PENDING",
        "message": {"conversation": message["text"]},
        "contextInfo": None,
        "messageType": "conversation",
        "messageTimestamp": int(time.time()),
        "instanceId": "8a1b52c6-1f0e-4f6e-9d0b-6a1f6b6f2d11",
        "source": "unknown",
    }
    return as_json(body, status=HTTPStatus.CREATED)


def upsert(*, instance: str, number: str, text: str, id: str) -> dict[str, Any]:
    """What it tells who listens (webhook) when somebody writes."""
    return {
        "event": "messages.upsert",
        "instance": instance,
        "data": {
            "key": {"remoteJid": jid_of(number), "fromMe": False, "id": id},
            "pushName": "",
            "status": "DELIVERY_ACK",
            "message": {"conversation": text},
            "messageType": "conversation",
            "messageTimestamp": int(time.time()),
            "source": "android",
        },
        "sender": jid_of("5511900000000"),
    }


def jid_of(number: str) -> str:
    return f"{number}@s.whatsapp.net"
