"""Text exposition 0.0.4 out: HELP and TYPE once a metric, its samples together, a line end after the last."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Literal

import msgspec

from atalaia.metrics.series import Series, escape

MetricType = Literal["counter", "gauge", "histogram", "untyped"]
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Family(msgspec.Struct, frozen=True):
    """A metric with its samples, as they are to stand on a page."""

    name: str
    type: MetricType
    help: str
    samples: tuple[tuple[Series, float], ...] = ()


def write_value(value: float) -> str:
    """The shortest text that reads back as the same number."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    if value == int(value) and abs(value) < 1e15:  # noqa: PLR2004 beyond it repr is shorter
        return "-0" if value == 0 and math.copysign(1, value) < 0 else str(int(value))
    return repr(value)


def write_line(series: Series, value: float, at_ms: int | None = None) -> str:
    stamp = "" if at_ms is None else f" {at_ms}"
    return f"{series.text} {write_value(value)}{stamp}\n"


def write_exposition(families: Iterable[Family]) -> str:
    """The page of all families, by name; a name may come once only.

    Raises:
        ValueError: one name in two families, which no scraper would take.
    """
    parts: list[str] = []
    seen: set[str] = set()
    for family in sorted(families, key=lambda each: each.name):
        if family.name in seen:
            raise ValueError(f"metric written twice: {family.name}")
        seen.add(family.name)
        text = family.help.replace("\\", r"\\").replace("\n", r"\n")
        parts.append(f"# HELP {family.name} {text}\n# TYPE {family.name} {family.type}\n")
        parts.extend(write_line(series, value) for series, value in family.samples)
    return "".join(parts)


__all__ = ["CONTENT_TYPE", "Family", "MetricType", "escape", "write_exposition", "write_line", "write_value"]
