"""Sheets of A4: text, rules, figures and tables from the top down, with a foot on each that says which of how many it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final, Literal

from reportlab import rl_config
from reportlab.lib.pagesizes import A4
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

from atalaia.core.translations import N_
from atalaia.integrations.cvepro.papers.fonts import Letters
from atalaia.integrations.cvepro.papers.words import Words

rl_config.useA85 = 0  # streams as bytes: a quarter smaller, and quicker than as text
WIDTH, HEIGHT = A4
LEFT: Final = 48.0
RIGHT: Final = WIDTH - 48.0
TOP: Final = HEIGHT - 50.0
BOTTOM: Final = 62.0
INK, GREY, FAINT, SHADE = 0.08, 0.38, 0.75, 0.95  # shades that stay apart on a black and white printer
_FOOT_Y: Final = 36.0
_BODY: Final = 8.0
_ROW: Final = 13.0
_NOTE: Final = 10.5
_GAP: Final = 6.0  # between two columns
_SMALLEST: Final = 9.0
_ELLIPSIS: Final = "…"

Align = Literal["left", "right", "center"]


@dataclass(frozen=True, slots=True)
class Column:
    label: str
    width: float
    align: Align = "left"


@dataclass(frozen=True, slots=True)
class Row:
    """`notes` stand below it in the same columns, smaller."""

    cells: Sequence[str]
    notes: Sequence[Sequence[str]] = ()
    is_sum: bool = False

    @property
    def height(self) -> float:
        return _ROW + _NOTE * len(self.notes)


class Sheets:
    """`y` is how far down the sheet is used, in points from its foot."""

    def __init__(self, letters: Letters, words: Words, *, title: str, foot: str, made: str) -> None:
        """`foot` is cut where it is too long, `made` never."""
        self._out = BytesIO()
        self._canvas = Canvas(self._out, pagesize=A4, pageCompression=1, invariant=1)
        self._canvas.setTitle(title)
        self._canvas.setCreator("Atalaia")
        self._letters = letters
        self._words = words
        self._foot = foot
        self._made = made
        self._drawn: list[dict[str, Any]] = []
        self.y = TOP

    def finished(self) -> bytes:
        self._keep()
        for number, state in enumerate(self._drawn, start=1):
            self._canvas.__dict__.update(state)
            self._draw_foot(number, len(self._drawn))
            self._canvas.showPage()
        self._canvas.save()
        return self._out.getvalue()

    def next_sheet(self) -> None:
        self._keep()
        self._canvas._startPage()  # type: ignore[attr-defined]  # noqa: SLF001 - the library's own way to number pages of a known total
        self.y = TOP

    def _keep(self) -> None:
        self._drawn.append(dict(self._canvas.__dict__))

    def _draw_foot(self, number: int, of: int) -> None:
        self.rule(_FOOT_Y + 12, FAINT)
        counted = self._words.translate(N_("Page {n} of {all}"), n=number, all=of)
        right = f"{self._made} · {counted}"
        taken = stringWidth(self._letters.fitting(right), self._letters.plain, 7)
        self.text(RIGHT, _FOOT_Y, right, size=7, grey=GREY, align="right")
        self.text(LEFT, _FOOT_Y, self._foot, size=7, grey=GREY, within=RIGHT - LEFT - taken - 14)

    def room(self, height: float) -> None:
        """Go on to the next sheet where there is less left."""
        if self.y - height < BOTTOM:
            self.next_sheet()

    def down(self, by: float) -> None:
        self.y -= by

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        size: float = _BODY,
        bold: bool = False,
        grey: float = INK,
        align: Align = "left",
        within: float | None = None,
    ) -> None:
        font = self._letters.bold if bold else self._letters.plain
        shown = self._letters.fitting(text)
        if within is not None:
            shown = _cut(shown, font, size, within)
        canvas = self._canvas
        canvas.setFont(font, size)
        canvas.setFillGray(grey)
        draw = {"left": canvas.drawString, "right": canvas.drawRightString, "center": canvas.drawCentredString}[align]
        draw(x, y, shown)

    def rule(self, y: float, grey: float = FAINT, *, left: float = LEFT, right: float = RIGHT) -> None:
        self._canvas.setStrokeGray(grey)
        self._canvas.setLineWidth(0.6)
        self._canvas.line(left, y, right, y)

    def block(self, x: float, y: float, width: float, height: float, *, grey: float) -> None:
        self._canvas.setFillGray(grey)
        self._canvas.rect(x, y, width, height, stroke=0, fill=1)

    def title(self, text: str) -> None:
        """Large, and over as many lines as it needs; from where the sheet is used so far."""
        for number, line in enumerate(_lines(self._letters.fitting(text), self._letters.bold, 18, RIGHT - LEFT)):
            self.down(22 if number else 0)
            self.text(LEFT, self.y, line, size=18, bold=True)

    def heading(self, text: str, *, room: float = 60.0) -> None:
        """With `room` for what follows on the same sheet."""
        self.room(room + 30)
        self.down(24)
        self.text(LEFT, self.y, text, size=11, bold=True, within=RIGHT - LEFT)
        self.down(8)

    def paragraph(self, text: str, *, size: float = _BODY, grey: float = INK, bold: bool = False) -> None:
        font = self._letters.bold if bold else self._letters.plain
        for line in _lines(self._letters.fitting(text), font, size, RIGHT - LEFT):
            self.room(size * 1.5)
            self.down(size * 1.5)
            self.text(LEFT, self.y, line, size=size, grey=grey, bold=bold)

    def figures(self, found: Sequence[tuple[str, str]]) -> None:
        """Large, beside each other: (label, value)."""
        self.room(50)
        width = (RIGHT - LEFT) / len(found)
        self.down(50)
        for index, (label, value) in enumerate(found):
            x = LEFT + index * width
            if index:
                self._canvas.setStrokeGray(FAINT)
                self._canvas.line(x - 8, self.y, x - 8, self.y + 34)
            self.text(x, self.y + 24, label, size=7.5, grey=GREY, within=width - 16)
            size = _fitting(self._letters.fitting(value), self._letters.bold, 15, within=width - 16)
            self.text(x, self.y + 4, value, size=size, bold=True, within=width - 16)
        self.down(6)

    def table(self, columns: Sequence[Column], rows: Sequence[Row]) -> None:
        """The columns' heads stand on each sheet; no sheet begins with the sums alone."""
        self.room(_ROW * 3)
        self._table_head(columns)
        for index, row in enumerate(rows):
            follows = rows[index + 1] if index + 1 < len(rows) else None
            height = row.height + (follows.height if follows is not None and follows.is_sum else 0)
            if self.y - height < BOTTOM:
                self.next_sheet()
                self._table_head(columns)
            self._row(columns, row)

    def _table_head(self, columns: Sequence[Column]) -> None:
        self.down(_ROW)
        self._cells(columns, [column.label for column in columns], size=7, bold=True, grey=GREY)
        self.rule(self.y - 4, GREY)
        self.down(3)

    def _row(self, columns: Sequence[Column], row: Row) -> None:
        self.down(_ROW)
        if row.is_sum:
            self.rule(self.y + 9, GREY)
        self._cells(columns, row.cells, size=_BODY, bold=row.is_sum, grey=INK)
        for note in row.notes:
            self.down(_NOTE)
            self._cells(columns, note, size=6.8, bold=False, grey=GREY)
        if not row.is_sum:
            self.rule(self.y - 3.5, 0.88)

    def _cells(self, columns: Sequence[Column], cells: Sequence[str], *, size: float, bold: bool, grey: float) -> None:
        x = LEFT
        for column, cell in zip(columns, cells, strict=True):
            if cell:
                is_right = column.align == "right"
                at = x + column.width - _GAP if is_right else x
                self.text(
                    at, self.y, cell, size=size, bold=bold, grey=grey, align=column.align, within=column.width - _GAP
                )
            x += column.width


def widths(columns: Sequence[Column]) -> Sequence[Column]:
    """In proportion, so that they fill the sheet; the last one goes to its edge."""
    scale = (RIGHT - LEFT) / sum(column.width for column in columns)
    scaled = [Column(each.label, each.width * scale, each.align) for each in columns]
    last = scaled[-1]
    return [*scaled[:-1], Column(last.label, last.width + _GAP, last.align)]


def _fitting(text: str, font: str, size: float, *, within: float) -> float:
    """The size at which it fits, within reason."""
    return min(size, max(_SMALLEST, size * within / max(stringWidth(text, font, size), 1)))


def _cut(text: str, font: str, size: float, within: float) -> str:
    """What fits, with an ellipsis where something is left away."""
    if stringWidth(text, font, size) <= within:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if stringWidth(text[:middle].rstrip() + _ELLIPSIS, font, size) <= within:
            low = middle
        else:
            high = middle - 1
    return text[:low].rstrip() + _ELLIPSIS


def _lines(text: str, font: str, size: float, within: float) -> list[str]:
    """Broken between words; a word that is too long by itself is cut."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        longer = f"{line} {word}" if line else word
        if stringWidth(longer, font, size) <= within:
            line = longer
            continue
        lines += [line] if line else []
        line = _cut(word, font, size, within)
    return [*lines, line] if line else lines
