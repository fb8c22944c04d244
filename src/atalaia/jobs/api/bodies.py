"""Bodies of the hot routes, read and decoded; what is wrong with one is said as everywhere."""

from typing import Any, TypeVar

import msgspec

from atalaia.core.errors import BadInput
from atalaia.core.translations import N_
from atalaia.web.bodies import check_media, read_body

T = TypeVar("T")
_JSON = b"application/json"
_MAX_LENGTH_DIGITS = 6


async def raw_body(scope: Any, receive: Any, *, limit: int) -> bytes:
    """The body; the common case, a short one in one piece of JSON, without detours. Raises TooLarge, BadInput, UnsupportedMedia."""
    headers = dict(scope["headers"])
    if headers.get(b"content-type") != _JSON:
        check_media(scope, "application/json")
    length = headers.get(b"content-length", b"")
    if not length.isdigit() or len(length) >= _MAX_LENGTH_DIGITS or b"content-encoding" in headers:
        return await read_body(scope, receive, limit=limit)
    message = await receive()
    if not message.get("more_body"):
        body: bytes = message.get("body", b"")
        return body
    waiting = [message]

    async def again() -> Any:
        return waiting.pop() if waiting else await receive()

    return await read_body(scope, again, limit=limit)


def decoded(decoder: "msgspec.json.Decoder[T]", body: bytes) -> T:
    """Raises BadInput: not JSON; msgspec.ValidationError: a wrong field."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError:
        raise
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(N_("this is not JSON: {why}"), why=str(error)) from error
