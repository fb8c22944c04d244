"""Spreadsheets: real numbers, dates and sums with formats, and no formula. What people typed is text, whatever it begins with."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from io import BytesIO
from typing import Any, Final, cast

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter

from atalaia.integrations.cvepro.papers.words import Words

Value = str | int | Decimal | datetime | float | None

ENERGY: Final = "#,##0.000"
MONEY: Final = '"R$" #,##0.00'
COUNT: Final = "#,##0"
LASTED: Final = "[h]:mm"
_TIMES: Final = {"en": "yyyy-mm-dd hh:mm", "pt-BR": "dd/mm/yyyy hh:mm"}
_DAY_S: Final = 86_400
_MICROS: Final = 1_000_000
_UNPRINTABLE: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_LONGEST: Final = 32_000  # letters in a cell
_HEAD: Final = PatternFill("solid", fgColor="FFE7ECEF")
_BOLD: Final = Font(bold=True)
_LARGE: Final = Font(bold=True, size=14)
_OVER: Final = Border(top=Side(style="thin"))


@dataclass(frozen=True, slots=True)
class Field:
    """A column; `is_summed`: the row below all has its sum."""

    label: str
    width: float
    format: str | None = None
    is_summed: bool = False


class Book:
    def __init__(self, words: Words, *, title: str) -> None:
        self._words = words
        self._book = Workbook(write_only=True)
        self._book.properties.title = _clean(title)
        self._book.properties.creator = "Atalaia"
        self._names: set[str] = set()

    def finished(self) -> bytes:
        out = BytesIO()
        self._book.save(out)
        return out.getvalue()

    def table(self, name: str, above: Sequence[str], fields: Sequence[Field], rows: Iterable[Sequence[Value]]) -> None:
        """A sheet of its own: lines of text, the heads (which stay in sight), the rows, their sums."""
        sheet = self._book.create_sheet(name)
        first = len(above) + 3
        sheet.freeze_panes = f"A{first}"
        for index, field in enumerate(fields, start=1):
            sheet.column_dimensions[get_column_letter(index)].width = field.width
        for number, text in enumerate(above):
            sheet.append([self._text(sheet, text, font=_LARGE if number == 0 else None)])
        sheet.append([])
        sheet.append([self._head(sheet, field) for field in fields])
        last, sums = first - 1, [Decimal(0)] * len(fields)
        for last, row in enumerate(rows, start=first):  # noqa: B007 - used behind the loop
            sheet.append([self._cell(sheet, field, value) for field, value in zip(fields, row, strict=True)])
            sums = [before + _number(value) for before, value in zip(sums, row, strict=True)]
        sheet.auto_filter.ref = f"A{first - 1}:{get_column_letter(len(fields))}{max(last, first - 1)}"
        sheet.append([self._sum(sheet, field, index, sums[index]) for index, field in enumerate(fields)])

    def _head(self, sheet: Any, field: Field) -> Any:
        cell = self._text(sheet, field.label, font=_BOLD)
        cell.fill = _HEAD
        cell.alignment = Alignment(horizontal="left" if field.format is None else "right", wrap_text=True)
        return cell

    def _cell(self, sheet: Any, field: Field, value: Value) -> Any:
        if value is None:
            return None
        if isinstance(value, str):
            return self._text(sheet, value)
        cell = WriteOnlyCell(sheet, value=cast("Any", value))  # the library takes decimals too
        cell.number_format = _TIMES[self._words.locale] if isinstance(value, datetime) else field.format or "General"
        return cell

    def _sum(self, sheet: Any, field: Field, index: int, total: Decimal) -> Any:
        """A value: a formula's result can't be stored beside it here, and phones, which work none out, show nothing then."""
        if index == 0:
            cell = self._text(sheet, self._words.translate("Sum"), font=_BOLD)
        elif field.is_summed:
            cell = WriteOnlyCell(sheet, value=cast("Any", total))
            cell.number_format = field.format or "General"
        else:
            cell = WriteOnlyCell(sheet)
        cell.font, cell.border = _BOLD, _OVER
        return cell

    def _text(self, sheet: Any, text: str, *, font: Font | None = None) -> Any:
        """Never a formula: neither here nor where somebody edits the cell."""
        clean = _clean(text)
        cell = WriteOnlyCell(sheet, value=clean)
        cell.data_type = "s"
        cell.quotePrefix = clean.startswith(("=", "+", "-", "@"))
        if font is not None:
            cell.font = font
        return cell


def _clean(text: str) -> str:
    return _UNPRINTABLE.sub("", text)[:_LONGEST]


def _number(value: Value) -> Decimal:
    """As it counts in a sum: of texts and times nothing."""
    if isinstance(value, Decimal):
        return value
    return Decimal(str(value)) if isinstance(value, (int, float)) else Decimal(0)


def kwh(mwh: int | None) -> Decimal | None:
    return None if mwh is None else Decimal(mwh) / _MICROS


def money(micros: int | None) -> Decimal | None:
    return None if micros is None else Decimal(micros) / _MICROS


def lasted(seconds: float | None) -> float | None:
    """In days, as spreadsheets count time."""
    return None if seconds is None else seconds / _DAY_S
