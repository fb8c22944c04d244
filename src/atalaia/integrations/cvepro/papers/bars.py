"""Bars on paper, in one shade of grey, each with its figure."""

from collections.abc import Sequence

from atalaia.integrations.cvepro.papers.sheets import FAINT, GREY, LEFT, RIGHT, Sheets

_UPRIGHT = 96.0
_SHADE = 0.42
_LINE = 14.0
_LABEL = 92.0
_FIGURE = 130.0


def upright(sheets: Sheets, found: Sequence[tuple[str, int]], *, scale: Sequence[tuple[int, str]]) -> None:
    """(label, value) from left to right; `scale` has values with what they are called, the largest last."""
    sheets.room(_UPRIGHT + 24)
    top = scale[-1][0] or 1
    foot = sheets.y - _UPRIGHT - 8
    left = LEFT + 40
    for value, called in scale:
        y = foot + _UPRIGHT * value / top
        sheets.rule(y, FAINT, left=left)
        sheets.text(left - 6, y - 2.5, called, size=6.5, grey=GREY, align="right")
    step = (RIGHT - left) / len(found)
    for index, (label, value) in enumerate(found):
        x = left + index * step
        if value > 0:
            sheets.block(x + step * 0.16, foot, step * 0.68, max(0.7, _UPRIGHT * value / top), grey=_SHADE)
        sheets.text(x + step / 2, foot - 9, label, size=6, grey=GREY, align="center")
    sheets.down(_UPRIGHT + 22)


def lying(sheets: Sheets, found: Sequence[tuple[str, int, str]]) -> None:
    """(label, value, figure) one below the other."""
    top = max((value for _, value, _ in found), default=0) or 1
    widest = RIGHT - LEFT - _LABEL - _FIGURE
    for label, value, figure in found:
        sheets.room(_LINE)
        sheets.down(_LINE)
        sheets.text(LEFT, sheets.y, label, size=8, within=_LABEL - 8)
        width = widest * value / top
        if value > 0:
            sheets.block(LEFT + _LABEL, sheets.y - 1.5, max(0.7, width), 8.5, grey=_SHADE)
        sheets.text(LEFT + _LABEL + max(0.0, width) + 6, sheets.y, figure, size=7.5, grey=GREY)


def rounded_scale(most: int, *, unit: int) -> list[int]:
    """From 0 in three or four even steps to at least `most`; in whole parts of `unit`."""
    for step in _steps(unit):
        if step * 4 >= most:
            return [step * n for n in range(-(-most // step) + 1)] if most else [0, step]
    raise AssertionError(most)


def _steps(unit: int) -> Sequence[int]:
    return [unit * 10**power * part // 10 for power in range(12) for part in (10, 20, 25, 50)]
