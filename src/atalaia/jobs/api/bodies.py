"""Bodies of the hot routes, read and decoded; what is wrong with one is said as everywhere."""

import json
from typing import Any, Final, TypeVar

import msgspec

from atalaia.core.errors import BadInput, InvalidField
from atalaia.core.translations import N_
from atalaia.jobs.model.wire import JobIn
from atalaia.web.bodies import check_media, read_body

T = TypeVar("T")
_JSON = b"application/json"
_MAX_LENGTH_DIGITS = 6
_JOB = msgspec.json.Decoder(JobIn)
_PAYLOAD: Final = b'"payload"'
_SHORT_BYTES: Final = 64


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


def job_of(body: bytes) -> JobIn:
    """What is to be made. Raises as `decoded`; InvalidField: there are two payloads, of which one would be lost."""
    job = decoded(_JOB, body)
    if body.count(_PAYLOAD) > 1 and _has_two_payloads(body, bytes(job.payload)):
        raise InvalidField("payload", N_("this is there more than once"))
    return job


def _has_two_payloads(body: bytes, taken: bytes) -> bool:
    """Looked at only where the word comes again, by far the most often within the payload: a long one is left out."""
    if len(taken) > _SHORT_BYTES:
        before, _, after = body.rpartition(taken)
        body = before + b"0" + after
    try:
        pairs = json.loads(body, object_pairs_hook=list)
    except RecursionError:  # of one that was not taken
        return True
    return [name for name, _ in pairs].count("payload") > 1
