"""Bodies of requests, read with limits: nothing too large is kept, nothing unpacks without end."""

import time
import zlib
from typing import Any

from atalaia.core.errors import BadInput, TooLarge, UnsupportedMedia
from atalaia.web.addresses import header

DRAIN_BYTES = 8 * 1024 * 1024
DRAIN_S = 2.0


async def read_body(scope: Any, receive: Any, *, limit: int, unpacked_limit: int | None = None) -> bytes:
    """The body, unpacked where it came as gzip.

    Args:
        limit: bytes on the wire.
        unpacked_limit: bytes after unpacking; `limit` times 20 unless said.

    Raises:
        TooLarge: beyond a limit. What still comes is drained (8 MB or 2 s at most), so that the client reads the answer.
        BadInput: the body is not what its encoding says.
        UnsupportedMedia: an encoding other than gzip.
    """
    length = header(scope, b"content-length")
    if length.isdigit() and int(length) > limit:
        await _drain(receive)
        raise TooLarge("the body is over {limit} bytes", limit=limit)
    message = await receive()
    if message["type"] == "http.disconnect":
        raise BadInput("the body ended early")
    body: bytes = message.get("body", b"")
    if message.get("more_body"):
        body = await _read_rest(receive, body, limit)
    if len(body) > limit:
        raise TooLarge("the body is over {limit} bytes", limit=limit)
    encoding = header(scope, b"content-encoding")
    if encoding:
        return _unpacked(body, encoding, unpacked_limit or limit * 20)
    return body


async def _read_rest(receive: Any, first: bytes, limit: int) -> bytes:
    parts, size, more = [first], len(first), True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise BadInput("the body ended early")
        part = message.get("body", b"")
        size += len(part)
        more = message.get("more_body", False)
        if size > limit:
            if more:
                await _drain(receive)
            raise TooLarge("the body is over {limit} bytes", limit=limit)
        parts.append(part)
    return b"".join(parts)


async def _drain(receive: Any) -> None:
    size, until = 0, time.monotonic() + DRAIN_S
    while size < DRAIN_BYTES and time.monotonic() < until:
        message = await receive()
        size += len(message.get("body", b""))
        if not message.get("more_body"):
            return


def _unpacked(body: bytes, encoding: str, limit: int) -> bytes:
    if encoding.strip().lower() != "gzip":
        raise UnsupportedMedia("only gzip is unpacked here")
    unpacker = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        plain = unpacker.decompress(body, limit + 1)
    except zlib.error as error:
        raise BadInput("the body is not valid gzip") from error
    if len(plain) > limit:
        raise TooLarge("the body unpacks to over {limit} bytes", limit=limit)
    if not unpacker.eof:
        raise BadInput("the body is not valid gzip")
    return plain


_FORM = "application/x-www-form-urlencoded"


def check_media(scope: Any, *allowed: str) -> None:
    """Refuse a content type that isn't taken here; none at all, and curl's default form type, pass.

    Raises:
        UnsupportedMedia: another content type.
    """
    kind = header(scope, b"content-type").partition(";")[0].strip().lower()
    if kind and kind != _FORM and kind not in allowed:
        raise UnsupportedMedia("this content type isn't taken here")
