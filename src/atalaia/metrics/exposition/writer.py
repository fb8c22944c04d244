"""Lines of text exposition 0.0.4, as VictoriaMetrics takes them."""

from __future__ import annotations

import math

from atalaia.metrics.series import Series


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
