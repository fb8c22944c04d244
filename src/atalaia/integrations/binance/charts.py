"""The result of an operation over time, as a chart's lines."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final

from atalaia.core.clock import to_ms
from atalaia.core.errors import InvalidField
from atalaia.core.translations import N_
from atalaia.integrations.binance.model.money import plain
from atalaia.integrations.binance.model.operations import Point
from atalaia.integrations.binance.operations import Operations, Shown

LINES: Final = ("result", "target", "stop_loss")
_MOST_MS: Final = 1 << 53
_MOST_POINTS: Final = 2000
Values = tuple[list[int], list[str]]


async def line_of(operations: Operations, id: str, query: Mapping[str, str]) -> dict[str, Any]:
    """`line`, `from` and `to` (ms), `step` (s). Raises: NotFound; InvalidField."""
    name = query.get("line") or LINES[0]
    if name not in LINES:
        raise InvalidField("line", N_("must be one of {names}"), names=", ".join(LINES))
    from_ms, to_ms_, step_s = (_number(query, each, most) for each, most in _DEFAULTS.items())
    found = await operations.one(id)
    if isinstance(found, Shown):
        wishes, opened_at = found.watched.operation.wishes, found.watched.operation.opened_at
        ended_at = found.watched.standing.at or opened_at
    else:
        wishes, opened_at, ended_at = found.wishes, found.opened_at, found.closed_at
    reach = (max(from_ms, to_ms(opened_at)), to_ms_)
    if name == "result":
        times, values = stepped(await operations.points(id), reach, until=ended_at, step_ms=max(1000, step_s * 1000))
    else:
        times, values = _level(wishes.profit_target if name == "target" else _lost(wishes.stop_loss), reach)
    return {"labels": {"line": name}, "times": times, "values": values}


def stepped(points: Sequence[Point], reach: tuple[int, int], *, until: datetime, step_ms: int) -> Values:
    """Each value holds until the next: points are kept only where it changed. Within `reach` (ms)."""
    step_ms = max(step_ms, (reach[1] - reach[0]) // _MOST_POINTS)
    ends = [*points, Point(until, points[-1].value)] if points and until > points[-1].at else list(points)
    times: list[int] = []
    values: list[str] = []
    for point, following in pairwise([*ends, None]):
        if point is None:
            break
        first = to_ms(point.at)
        last = first + 1 if following is None else to_ms(following.at)
        for at in range(first, max(last, first + 1), step_ms):
            if reach[0] <= at <= reach[1]:
                times.append(at)
                values.append(plain(point.value))
    return times, values


def _level(value: Decimal | None, reach: tuple[int, int]) -> Values:
    if value is None or reach[0] >= reach[1]:
        return [], []
    return list(reach), [plain(value)] * 2


def _lost(stop_loss: Decimal | None) -> Decimal | None:
    return None if stop_loss is None else -stop_loss


# What it is where the address does not say: everything, in steps of a minute.
_DEFAULTS: Final = {"from": 0, "to": _MOST_MS, "step": 60}


def _number(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdecimal()) or len(text) > 16 or int(text) > _MOST_MS:  # noqa: PLR2004 - 2 ** 53
        raise InvalidField(name, N_("a whole number"))
    return int(text)
