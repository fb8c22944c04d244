"""The answer to a range query as JSON: large ones are written apart from the event loop, times of like series once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec

from atalaia.core.clock import from_ms
from atalaia.metrics.chunks.bits import Signed
from atalaia.metrics.model import RangeQuery, SeriesPoints

# To write so many takes a millisecond.
_APART_POINTS = 5_000


class PointsOut(msgspec.Struct, frozen=True):
    """Columns of one length: beginnings of the steps in milliseconds, and values; a step without samples is left out."""

    metric: str
    labels: dict[str, str]
    times: list[int]
    values: list[float | None]


class AnswerOut(msgspec.Struct, frozen=True):
    """`from` and `to` are those asked for, widened to whole steps."""

    items: list[PointsOut]
    next: str | None
    metric: str
    agg: str
    step_s: float
    from_: str = msgspec.field(name="from")
    to: str


class _Points(msgspec.Struct, frozen=True):
    """PointsOut on its way out."""

    metric: str
    labels: dict[str, str]
    times: msgspec.Raw
    values: list[float]


class _Answer(msgspec.Struct, frozen=True):
    items: list[_Points]
    next: str | None
    metric: str
    agg: str
    step_s: float
    from_: str = msgspec.field(name="from")
    to: str


async def write_answer(question: RangeQuery, found: Sequence[SeriesPoints]) -> bytes:
    """An AnswerOut. What is no finite number is null."""
    if sum(len(each.points.at_ms) for each in found) < _APART_POINTS:
        return _write(question, found)
    return await asyncio.to_thread(_write, question, found)


def _write(question: RangeQuery, found: Sequence[SeriesPoints]) -> bytes:
    items: list[_Points] = []
    former: Signed | None = None
    times = msgspec.Raw()
    for each in found:
        if each.points.at_ms is not former:
            former, times = each.points.at_ms, msgspec.Raw(msgspec.json.encode(each.times))
        items.append(_Points(each.metric, each.labels, times, each.values))
    answer = _Answer(
        items,
        next=None,
        metric=question.metric,
        agg=question.aggregation,
        step_s=question.step_ms / 1000,
        from_=from_ms(question.from_ms).isoformat(),
        to=from_ms(question.to_ms).isoformat(),
    )
    return msgspec.json.encode(answer)
