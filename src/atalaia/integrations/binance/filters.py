"""What of the history is asked for, as an address says it; the page and the API read it alike."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from atalaia.core.errors import InvalidField
from atalaia.core.translations import N_
from atalaia.integrations.binance.trades import TradeFilter

_DAY: Final = timedelta(days=1)
MOST: Final = 500
_LONG: Final = 10


def read_filter(query: Mapping[str, str], *, zone: tzinfo) -> TradeFilter:
    """`day`, or `since` and `until`: days of `zone`, both included, or instants (`until` is not). Raises: InvalidField."""
    first, last = ("day", "day") if query.get("day") else ("since", "until")
    return TradeFilter(
        since=_instant(query.get(first), first, zone, is_end=False),
        until=_instant(query.get(last), last, zone, is_end=True),
        symbol=text_of(query, "symbol").upper() or None,
        account=text_of(query, "account") or None,
    )


def read_zone(query: Mapping[str, str], default: str) -> ZoneInfo:
    """Raises: InvalidField."""
    name = query.get("tz") or default
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidField("tz", N_("There is no such time zone.")) from error


def read_limit(query: Mapping[str, str]) -> int:
    """Raises: InvalidField."""
    text = query.get("limit") or "50"
    if not (text.isascii() and text.isdecimal() and len(text) < _LONG and 1 <= int(text) <= MOST):
        raise InvalidField("limit", N_("must be between 1 and {most}"), most=MOST)
    return int(text)


def text_of(query: Mapping[str, str], name: str) -> str:
    """Raises: InvalidField: what no database takes."""
    text = query.get(name, "").strip()
    if not text.isprintable():
        raise InvalidField(name, N_("This can't be read."))
    return text


def _instant(text: str | None, field: str, zone: tzinfo, *, is_end: bool) -> datetime | None:
    if not text:
        return None
    try:
        if "T" not in text and " " not in text:
            day = date.fromisoformat(text) + (_DAY if is_end else timedelta())
            return datetime.combine(day, time.min, zone).astimezone(UTC)
        instant = datetime.fromisoformat(text)
        if instant.tzinfo is not None:
            return instant.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidField(field, N_("a day as 2026-01-31, or an instant with its zone")) from error
    raise InvalidField(field, N_("a day as 2026-01-31, or an instant with its zone"))
