"""A question about samples, and its answer."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime

import msgspec

from atalaia.core.errors import InvalidField
from atalaia.metrics.rollup import AGGREGATIONS, DAY_MS, HOUR_MS, MINUTE_MS, Aggregation, Points
from atalaia.metrics.selectors import Selector

MAX_STEPS = 11_000
MAX_SERIES = 500
_UNITS_MS = {"ms": 1, "s": 1000, "m": MINUTE_MS, "h": HOUR_MS, "d": DAY_MS, "w": 7 * DAY_MS}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w)?\Z")
_NICE_STEPS_MS = tuple(
    seconds * 1000 for seconds in (15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400)
)
_AUTO_STEPS = 300
# Between these a number is seconds or milliseconds; the year 5138 in seconds, 1973 in milliseconds.
_SECONDS_BELOW = 1e11
_LAST_MS = 253_402_300_799_999


class RangeQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Steps of `step_ms` from `from_ms` to `to_ms` (exclusive), which is aligned to whole steps."""

    metric: str
    selectors: tuple[Selector, ...] = ()
    from_ms: int
    to_ms: int
    step_ms: int
    aggregation: Aggregation = "avg"


class SeriesPoints(msgspec.Struct, frozen=True):
    """One series of an answer."""

    metric: str
    labels: dict[str, str]
    points: Points

    @property
    def times(self) -> list[int]:
        """Beginnings of the steps, in milliseconds since the epoch."""
        times: list[int] = self.points.at_ms.tolist()
        return times

    @property
    def values(self) -> list[float]:
        values: list[float] = self.points.values.tolist()
        return values


def parse_instant(text: str, *, field: str, now_ms: int) -> int:
    """Milliseconds since the epoch of an ISO instant, of seconds or milliseconds, `now`, or of `-6h` before now.

    Raises:
        InvalidField: it is none of these.
    """
    text = text.strip()
    if text in {"", "now"}:
        return now_ms
    if text.startswith(("-", "now-")):
        return now_ms - parse_duration(text.removeprefix("now").removeprefix("-"), field=field)
    try:
        number = float(text)
    except ValueError:
        return _from_iso(text, field)
    if not math.isfinite(number):
        raise _no_instant(field)
    return _checked(number * 1000 if number < _SECONDS_BELOW else number, field)


def _from_iso(text: str, field: str) -> int:
    try:
        # A plus sign of a zone that was not escaped in an address has come as a blank.
        instant = datetime.fromisoformat(text.replace(" ", "T" if text.count(" ") == 1 and "T" not in text else "+"))
        aware = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
        return _checked(aware.timestamp() * 1000, field)
    except (ValueError, OverflowError):
        raise _no_instant(field) from None


def _checked(ms: float, field: str) -> int:
    if not 0 <= ms <= _LAST_MS:
        raise _no_instant(field)
    return round(ms)


def parse_duration(text: str, *, field: str) -> int:
    """Milliseconds of `30s`, `5m`, `1h`, or of a number of seconds.

    Raises:
        InvalidField: it is none of these, or nothing at all.
    """
    match = _DURATION.match(text.strip())
    ms = float(match[1]) * _UNITS_MS[match[2] or "s"] if match and len(text) < 20 else 0  # noqa: PLR2004 long enough
    if not 1 <= ms <= 100 * 366 * DAY_MS:
        raise InvalidField(field, "{name}: not a duration such as 30s, 5m or 1h", name=field)
    return round(ms)


def parse_aggregation(text: str) -> Aggregation:
    for name in AGGREGATIONS:
        if name == text:
            return name
    raise InvalidField("agg", "agg: must be one of {names}", names=", ".join(AGGREGATIONS))


def make_query(
    metric: str,
    selectors: tuple[Selector, ...],
    *,
    from_ms: int,
    to_ms: int,
    step_ms: int | None,
    aggregation: Aggregation,
) -> RangeQuery:
    """A question whose range is widened to whole steps; without a step a round one gives some 300.

    Raises:
        InvalidField: an empty range, or more steps than one answer may have.
    """
    if to_ms <= from_ms:
        raise InvalidField("from", "from: must be before to")
    if step_ms is None:
        wanted = (to_ms - from_ms) / _AUTO_STEPS
        step_ms = next((step for step in _NICE_STEPS_MS if step >= wanted), _NICE_STEPS_MS[-1])
    if (to_ms - from_ms) / step_ms > MAX_STEPS:
        raise InvalidField(
            "step", "step: gives more than {limit} steps", limit=MAX_STEPS, hint="Ask for a longer step."
        )
    return RangeQuery(
        metric=metric,
        selectors=selectors,
        from_ms=from_ms - from_ms % step_ms,
        to_ms=-(-to_ms // step_ms) * step_ms,
        step_ms=step_ms,
        aggregation=aggregation,
    )


def _no_instant(field: str) -> InvalidField:
    return InvalidField(field, "{name}: not an instant such as 2026-01-31T12:00:00Z, 1767225600 or -6h", name=field)
