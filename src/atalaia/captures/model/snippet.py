"""The sniffer snippet, for the keys that it is to look for."""

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final

import msgspec

from atalaia.core.errors import InvalidField
from atalaia.core.translations import N_

DEFAULT_KEYS: Final = ("action",)
_KEY: Final = re.compile(r"[\w.:-]{1,60}\Z")
_PLACE: Final = re.compile(r"/\*keys\*/.*?/\*keys\*/", re.DOTALL)


def snippet(keys: Sequence[str] = DEFAULT_KEYS) -> str:
    """JavaScript to paste into a page's console. Raises: InvalidField: a key that is no name."""
    for key in keys:
        if not _KEY.match(key):
            raise InvalidField("key", N_("a key has letters, digits, dot, colon, hyphen and underscore"))
    return _PLACE.sub(lambda _: msgspec.json.encode(list(keys or DEFAULT_KEYS)).decode(), _source())


@cache
def _source() -> str:
    return Path(__file__).parents[1].joinpath("sniffer.js").read_text(encoding="utf-8")
