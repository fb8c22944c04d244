"""Times, spans, numbers as a reader of one language in one zone writes them. Pure."""

import math
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.dates import format_datetime
from babel.numbers import format_decimal

from atalaia.core.translations import Locale

DASH: Final = "–"
_BABEL: Final[dict[Locale, str]] = {"en": "en_US", "pt-BR": "pt_BR"}
# A 24-hour clock in both: people compare times across machines and logs.
_PATTERNS: Final[dict[tuple[Locale, str], str]] = {
    ("en", "clock"): "HH:mm",
    ("en", "seconds"): "HH:mm:ss",
    ("en", "day"): "MMM d",
    ("en", "date"): "MMM d, y",
    ("en", "short"): "MMM d, HH:mm",
    ("en", "full"): "MMM d, y, HH:mm:ss",
    ("pt-BR", "clock"): "HH:mm",
    ("pt-BR", "seconds"): "HH:mm:ss",
    ("pt-BR", "day"): "dd/MM",
    ("pt-BR", "date"): "dd/MM/y",
    ("pt-BR", "short"): "dd/MM HH:mm",
    ("pt-BR", "full"): "dd/MM/y HH:mm:ss",
}
_SPANS: Final = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))
_BYTES: Final = ("B", "KB", "MB", "GB", "TB", "PB")
_KILO: Final = 1000
_SECOND_MS: Final = 1000
_MINUTE_MS: Final = 60_000
_PRECISE: Final = 100
_WHOLE: Final = 100


def zone(name: str | None) -> ZoneInfo:
    """The zone of that name; UTC where there is none, so that a page never fails for a name a browser made up."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


@lru_cache(maxsize=4096)
def moment(at: datetime, style: str, *, locale: Locale, timezone: ZoneInfo) -> str:
    """`style`: clock, seconds, day, date, short (day and clock) or full (with year and seconds)."""
    return format_datetime(at.astimezone(timezone), _PATTERNS[locale, style], locale=_BABEL[locale])


def when(at: datetime, *, now: datetime, locale: Locale, timezone: ZoneInfo) -> str:
    """As short as it is still clear: clock today, day and clock this year, else the date too."""
    local, today = at.astimezone(timezone), now.astimezone(timezone)
    if local.date() == today.date():
        return moment(at, "clock", locale=locale, timezone=timezone)
    if local.year == today.year:
        return moment(at, "short", locale=locale, timezone=timezone)
    return moment(at, "date", locale=locale, timezone=timezone)


@lru_cache(maxsize=4096)
def number(value: float, digits: int | None = None, *, locale: Locale) -> str:
    """With thousands apart; `digits` decimals exactly, or as many as it has, up to two."""
    if not math.isfinite(value):
        return "∞" if value > 0 else "−∞" if value < 0 else DASH
    pattern = "#,##0.##" if digits is None else "#,##0" + ("." + "0" * digits if digits else "")
    return format_decimal(value, format=pattern, locale=_BABEL[locale])


@lru_cache(maxsize=4096)
def decimal(value: Decimal, *, least: int = 2, most: int = 2, locale: Locale) -> str:
    """Exactly, with `least` to `most` decimals: money and quantities, which are no floats."""
    pattern = "#,##0" + ("." if most else "") + "0" * least + "#" * (most - least)
    return format_decimal(value, format=pattern, locale=_BABEL[locale])


def percent(ratio: float, digits: int | None = None, *, locale: Locale) -> str:
    """`ratio` 0.9987 → "99.87%". Never rounded up to 100: 99.996 % of a year is two hours of nobody noticing."""
    shown = 2 if digits is None else digits
    scaled = ratio * 100
    if scaled < _WHOLE <= round(scaled, shown):
        scaled = math.floor(scaled * 10**shown) / 10**shown
    is_plain = digits is None and scaled in (0, _WHOLE)
    return f"{number(round(scaled, shown), 0 if is_plain else shown, locale=locale)}%"


def span(seconds: float | timedelta, *, parts: int = 2) -> str:
    """The two largest units, "3 min 12 s"; under a second in milliseconds. The same in both languages."""
    total_s = seconds.total_seconds() if isinstance(seconds, timedelta) else seconds
    if 0 < total_s < 1:
        return f"{max(1, round(total_s * _SECOND_MS))} ms"
    rest, shown = round(max(0.0, total_s)), list[str]()
    for size_s, unit in _SPANS:
        count, rest = divmod(rest, size_s)
        if count:
            shown.append(f"{count} {unit}")
        elif shown:
            break
        if len(shown) == parts:
            break
    return " ".join(shown) or "0 s"


def latency(milliseconds: float, *, locale: Locale) -> str:
    """A measured time: "0.8 ms", "12.4 ms", "340 ms", "1.84 s", "1 min 4 s"."""
    if milliseconds >= _MINUTE_MS:
        return span(milliseconds / _SECOND_MS)
    if milliseconds >= _SECOND_MS:
        return f"{number(round(milliseconds / _SECOND_MS, 2), 2, locale=locale)} s"
    digits = 0 if milliseconds >= _PRECISE else 1
    return f"{number(round(milliseconds, digits), digits, locale=locale)} ms"


def size(size_bytes: float, *, locale: Locale) -> str:
    """Decimal units, as disks and bills count: 1,500 → "1.5 KB"."""
    value, unit = float(size_bytes), 0
    while abs(value) >= _KILO and unit < len(_BYTES) - 1:
        value, unit = value / _KILO, unit + 1
    digits = 1 if unit and abs(value) < _PRECISE else 0
    return f"{number(round(value, digits), digits, locale=locale)} {_BYTES[unit]}"


def iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
