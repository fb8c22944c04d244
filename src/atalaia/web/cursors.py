"""Keyset pages: `{"items": […], "next": cursor or null}`."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import msgspec

from atalaia.core.errors import InvalidField

T = TypeVar("T")
DEFAULT_LIMIT = 50
MAX_LIMIT = 500


class Listing(msgspec.Struct, Generic[T]):
    """What a list answers."""

    items: list[T]
    next: str | None = None


def encode_cursor(*key: Any) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).decode().rstrip("=")


def decode_cursor(cursor: str | None, *types: type) -> tuple[Any, ...] | None:
    """The key after which a page begins; None for the first page.

    Raises:
        InvalidField: it is no cursor of this list.
    """
    if not cursor:
        return None
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        key = tuple(msgspec.json.decode(raw, type=tuple[*types]))  # type: ignore[valid-type]
    except (binascii.Error, ValueError, msgspec.DecodeError) as error:
        raise InvalidField("cursor", "cursor: not one of this list's") from error
    # PostgreSQL takes no NUL in a text, and no engine a number of more than 64 bits.
    if any("\0" in part if isinstance(part, str) else not -(2**63) <= part < 2**63 for part in key):
        raise InvalidField("cursor", "cursor: not one of this list's")
    return key


def page_of(rows: Sequence[T], limit: int, key: Callable[[T], tuple[Any, ...]]) -> tuple[list[T], str | None]:
    """Split what was read with `limit + 1`: the page, and the cursor of the next one if there is more."""
    page = list(rows[:limit])
    more = len(rows) > limit
    return page, encode_cursor(*key(page[-1])) if more and page else None
