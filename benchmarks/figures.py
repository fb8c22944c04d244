"""What a benchmark gives: figures, each beside its floor and its target, measured in one run."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

SERVER_CORE = 0
LOAD_CORE = 1
RUNS = 5


@dataclass(frozen=True, slots=True)
class Figure:
    """`floor` is what stands beside the value in the same run, `ratio` value / floor; `met` None: no target, or not measured."""

    figure: str
    value: float | None
    unit: str
    floor: float | None = None
    ratio: float | None = None
    target: str = ""
    met: bool | None = None
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def skipped(figure: str, unit: str, why: str, *, target: str = "") -> Figure:
    """Not measured here, and why."""
    return Figure(figure, None, unit, target=target, note=why)


def median_of(measure: Callable[[], float], *, runs: int = RUNS) -> float:
    return statistics.median(measure() for _ in range(runs))


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` (0..1) of all are not above."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(share * len(ordered)) - 1))]


def table(figures: Sequence[Figure]) -> str:
    """The figures as a Markdown table."""
    rows = [
        "| figure | value | beside | ratio | to reach | met | note |",
        "| --- | ---: | ---: | ---: | --- | --- | --- |",
    ]
    for figure in figures:
        met = {True: "yes", False: "**no**", None: "–"}[figure.met]
        cells = [
            figure.figure,
            f"{_shown(figure.value)} {figure.unit}".strip(),
            _shown(figure.floor),
            _shown(figure.ratio),
            figure.target or "–",
            met,
            figure.note,
        ]
        rows.append("| " + " | ".join(cells) + " |")
    return "\n".join(rows)


def _shown(value: float | None) -> str:
    if value is None:
        return "–"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"
