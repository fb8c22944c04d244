"""Small drawings and addresses that templates ask for; numbers in, SVG attribute values out. Pure.

Lists of hundreds of rows have one drawing a row: whole numbers, one pass, and what is drawn often is remembered.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import groupby
from math import isfinite
from typing import Any, Final
from urllib.parse import urlencode

SPARK_WIDTH: Final = 960
SPARK_HEIGHT: Final = 200
SLOT: Final = 8
BAR: Final = 6
BAR_HEIGHT: Final = 32


def spark(values: Sequence[float | None]) -> dict[str, str]:
    """`d` of a line through `values`, oldest first, and of the area under it, in SPARK_WIDTH × SPARK_HEIGHT.

    None is a gap in both, and so is what is no number or infinite. Empty where no value is known.
    """
    known = [value for value in values if value is not None and isfinite(value)]
    if not known:
        return {"line": "", "area": ""}
    low, high = min(known), max(known)
    span = high - low
    if not isfinite(span):
        return spark([None if value is None else value / 4 for value in values])
    base = SPARK_HEIGHT if span else SPARK_HEIGHT // 2
    step = SPARK_WIDTH / max(1, len(values) - 1)
    line: list[str] = []
    area: list[str] = []
    for is_gap, run in groupby(enumerate(values), key=lambda pair: pair[1] is None or not isfinite(pair[1])):
        if is_gap:
            continue
        # Divided first: a span may be so small that nothing divided by it is a number.
        shares = [(index, (value - low) / span if span else 0.0) for index, value in run if value is not None]
        points = [(int(index * step), base - int(share * SPARK_HEIGHT)) for index, share in shares]
        path = "L".join([f"{x},{y}" for x, y in points])
        # A lone point is drawn too: round caps make a dot of a line of no length.
        line.append(f"M{path}" if len(points) > 1 else f"M{path}L{path}")
        area.append(f"M{points[0][0]},{SPARK_HEIGHT}L{path}V{SPARK_HEIGHT}Z")
    return {"line": "".join(line), "area": "".join(area)}


def bar_slots(days: Sequence[Any]) -> list[tuple[int, Any]]:
    """Each day behind the x of its bar, SLOT apart."""
    return [(index * SLOT + (SLOT - BAR) // 2, day) for index, day in enumerate(days)]


def bar_paths(days: Sequence[Any], last: int = 30) -> list[tuple[str, str]]:
    """The last days as one path a state, neighbours of one state as one piece; the style sheet cuts them into days.

    An element a day would make a list of 500 checks megabytes large.
    """
    shown = days[-last:]
    return _pieces(tuple((day["state"] if isinstance(day, dict) else day.state) or "none" for day in shown), last)


@lru_cache(maxsize=1024)
def _pieces(states: tuple[str, ...], last: int) -> list[tuple[str, str]]:
    paths: dict[str, list[str]] = {}
    x = (last - len(states)) * SLOT
    for state, run in groupby(states):
        width = sum(1 for _ in run) * SLOT
        paths.setdefault(state, []).append(f"M{x},0h{width}v{BAR_HEIGHT}h-{width}z")
        x += width
    return [(state, "".join(parts)) for state, parts in paths.items()]


def query(params: Mapping[str, Any], **changes: Any) -> str:
    """`?a=1&b=2` of the present filters with `changes`; None or "" takes one out. "" where nothing is left."""
    kept = {key: value for key, value in {**params, **changes}.items() if value not in (None, "")}
    return "?" + urlencode(kept, doseq=True) if kept else ""
