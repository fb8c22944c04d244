"""JSON as it goes over the wire and into the spool."""

from __future__ import annotations

import json.encoder
from collections.abc import Callable, Iterable
from json import JSONDecoder, JSONEncoder
from typing import Any

from atalaia_agent.wire import Json

_decode = JSONDecoder().raw_decode


def encode(payload: Json) -> bytes:
    """Raises ValueError for what JSON has no word for: infinity, not a number."""
    return "".join(_pieces(payload, 0)).encode()


def decode(text: bytes) -> Json:
    """An object; an empty one for everything else that a server may say."""
    try:
        clean = text.decode().strip()
        decoded, end = _decode(clean)
    except ValueError:
        return {}
    return decoded if isinstance(decoded, dict) and end == len(clean) else {}


def _make_encoder() -> Callable[[Any, int], Iterable[str]]:
    """One for all: the encoder of the library makes a new one for each text, which costs more than a record.

    What it makes is not documented, so whatever is not as in Python 3.11 leads back to the documented way.
    """
    plain = JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    try:
        made = json.encoder.c_make_encoder(  # type: ignore[attr-defined]
            None, plain.default, json.encoder.encode_basestring, None, ":", ",", False, False, False
        )
        if "".join(made({"a": [1.5, "ç", None]}, 0)) == '{"a":[1.5,"ç",null]}':
            return made  # type: ignore[no-any-return]
    except (AttributeError, TypeError):
        pass
    return lambda payload, _: plain.encode(payload)


_pieces = _make_encoder()
