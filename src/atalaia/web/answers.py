"""Answers of raw ASGI handlers."""

from typing import Any

import msgspec

JSON = (b"content-type", b"application/json")
TEXT = (b"content-type", b"text/plain; charset=utf-8")
_encode = msgspec.json.encode

Header = tuple[bytes, bytes]


async def send_bytes(send: Any, status: int, body: bytes, headers: tuple[Header, ...] = (TEXT,)) -> None:
    length = (b"content-length", b"%d" % len(body))
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})


async def send_json(send: Any, status: int, value: Any, headers: tuple[Header, ...] = ()) -> None:
    await send_bytes(send, status, _encode(value), (JSON, *headers))


async def send_nothing(send: Any, status: int = 204) -> None:
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": b""})
