"""When a session ends, and where a person may be sent after signing in."""

from datetime import datetime, timedelta
from urllib.parse import urlsplit

import msgspec

_MAX_NEXT_LENGTH = 2000
# "Last seen" is written this often at most: a page view must not cost a write.
SEEN_EVERY_S = 60


class SessionLimits(msgspec.Struct, frozen=True, kw_only=True):
    idle_s: float = 12 * 3600
    absolute_s: float = 30 * 86400


def is_over(created_at: datetime, seen_at: datetime, *, now: datetime, limits: SessionLimits) -> bool:
    idle = now - seen_at >= timedelta(seconds=limits.idle_s)
    return idle or now - created_at >= timedelta(seconds=limits.absolute_s)


def is_seen_stale(seen_at: datetime, *, now: datetime) -> bool:
    return now - seen_at >= timedelta(seconds=SEEN_EVERY_S)


def safe_next(address: str | None, *, fallback: str = "/") -> str:
    r"""The path to go on to, if it is one of ours; `fallback` for whatever leads, or could lead, elsewhere.

    Browsers read `//host`, `/\host` and control characters in ways that a server doesn't.
    """
    if not address or len(address) > _MAX_NEXT_LENGTH or not address.startswith("/"):
        return fallback
    if address.startswith("//") or "\\" in address or not address.isprintable():
        return fallback
    try:
        parts = urlsplit(address)
    except ValueError:
        return fallback
    return fallback if parts.scheme or parts.netloc else address
