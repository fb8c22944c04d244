"""Small drawings and addresses that templates ask for; numbers in, SVG attribute values out. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode


def _scaled(values: Sequence[float | None], width: float, height: float) -> list[list[tuple[float, float]]]:
    """Runs of neighbouring points; a missing value ends a run, so that a gap stays a gap."""
    known = [v for v in values if v is not None]
    if not known:
        return []
    low, high = min(known), max(known)
    reach = (high - low) or 1.0
    step = width / max(1, len(values) - 1)
    runs: list[list[tuple[float, float]]] = [[]]
    for index, value in enumerate(values):
        if value is None:
            runs.append([])
            continue
        y = height / 2 if high == low else height - (value - low) / reach * height
        runs[-1].append((round(index * step, 1), round(y, 1)))
    return [run for run in runs if run]


def spark_points(values: Sequence[float | None], width: float = 96, height: float = 20) -> str:
    """`d` of a line through `values`, oldest first, inside width × height."""
    return " ".join(
        f"M{run[0][0]:g},{run[0][1]:g}" + "".join(f"L{x:g},{y:g}" for x, y in run[1:] or [run[0]])
        for run in _scaled(values, width, height)
    )


def spark_area(values: Sequence[float | None], width: float = 96, height: float = 20) -> str:
    """`d` of the area under that line."""
    return " ".join(
        f"M{run[0][0]:g},{height:g}" + "".join(f"L{x:g},{y:g}" for x, y in run) + f"L{run[-1][0]:g},{height:g}Z"
        for run in _scaled(values, width, height)
    )


def bar_slots(days: Sequence[Any], *, gap: float = 2, slot: float = 8) -> list[tuple[float, Any]]:
    """X of each bar beside its day."""
    return [(round(index * slot + gap / 2, 1), day) for index, day in enumerate(days)]


def bar_paths(days: Sequence[Any], *, gap: float = 2, slot: float = 8, height: float = 32) -> list[tuple[str, str]]:
    """The bars as one path a state: a list of hundreds of rows can't afford an element a day."""
    paths: dict[str, list[str]] = {}
    for x, day in bar_slots(days, gap=gap, slot=slot):
        state = day["state"] if isinstance(day, Mapping) else day.state
        paths.setdefault(state or "none", []).append(f"M{x:g},0h{slot - gap:g}v{height:g}h-{slot - gap:g}z")
    return [(state, "".join(parts)) for state, parts in paths.items()]


def query(params: Mapping[str, Any], **changes: Any) -> str:
    """`?a=1&b=2` of the present filters with `changes`; None or "" takes one out. "" where nothing is left."""
    kept = {key: value for key, value in {**params, **changes}.items() if value not in (None, "")}
    return "?" + urlencode(kept, doseq=True) if kept else ""
