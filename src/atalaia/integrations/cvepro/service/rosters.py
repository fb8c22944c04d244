"""Files of residents as people's programs write them: CSV with `;` or `,` in the encodings of Excel, and XLSX.

Read in memory and within limits: what is uploaded may be anything.
"""

import csv
import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any, Final

from atalaia.core.errors import InvalidField
from atalaia.core.translations import N_
from atalaia.integrations.cvepro.model.rosters import FIELD, LONGEST_CELL, Roster, SheetRow, read_roster

MAX_FILE_BYTES: Final = 2 * 1024 * 1024
MOST_ROWS: Final = 5000
_MOST_COLUMNS: Final = 60
_MOST_LINES: Final = MOST_ROWS + 1000  # empty ones and titles too
_MOST_SHEETS: Final = 10
_UNPACKED_BYTES: Final = 24 * 1024 * 1024
_MOST_PARTS: Final = 500
_ZIP: Final = b"PK\x03\x04"
_OLD_EXCEL: Final = b"\xd0\xcf\x11\xe0"
_DELIMITERS: Final = ";,\t"
_SEP: Final = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)  # Excel's own first line
_UNREADABLE: Final = N_("This file can't be read.")


def read_file(content: bytes) -> Roster:
    """Takes up to a second: not for the loop. Raises: InvalidField."""
    if not content:
        raise InvalidField(FIELD, N_("choose a file"))
    if len(content) > MAX_FILE_BYTES:
        raise InvalidField(FIELD, N_("at most {limit} MB"), limit=MAX_FILE_BYTES // 2**20)
    if content.startswith(_OLD_EXCEL):
        raise InvalidField(FIELD, N_("This is an old Excel file: save it as XLSX or CSV."))
    if not content.startswith(_ZIP):
        return read_roster(_csv_rows(content), most=MOST_ROWS)
    problem: InvalidField | None = None
    for sheet in _sheets(content):
        try:
            return read_roster(sheet, most=MOST_ROWS)
        except InvalidField as error:
            problem = problem or error
    raise problem or InvalidField(FIELD, _UNREADABLE)


def _csv_rows(content: bytes) -> list[SheetRow]:
    """Raises: InvalidField."""
    text = _decoded(content)
    marked = _SEP.match(text)
    delimiter = marked[1] if marked else _delimiter(text)
    found: list[SheetRow] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for cells in reader:
            if len(found) >= _MOST_LINES:
                raise InvalidField(FIELD, N_("at most {limit} rows"), limit=MOST_ROWS)
            found.append(SheetRow(reader.line_num, tuple(_cell(each) for each in cells[:_MOST_COLUMNS])))
    except csv.Error as error:
        raise InvalidField(FIELD, _UNREADABLE) from error
    return found


def _decoded(content: bytes) -> str:
    """Raises: InvalidField: this is no text."""
    is_wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))  # Excel's "Unicode text"
    for encoding in ("utf-16",) if is_wide else ("utf-8-sig", "cp1252", "latin-1"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    raise InvalidField(FIELD, N_("This is neither CSV nor XLSX."))


def _delimiter(text: str) -> str:
    """The one that most of the first lines have."""
    lines = [line for line in text.splitlines()[:20] if line.strip()]
    return max(_DELIMITERS, key=lambda each: sum(each in line for line in lines) * 1000 + text[:4000].count(each))


def _sheets(content: bytes) -> Iterator[Sequence[SheetRow]]:
    """Raises: InvalidField."""
    _check_size(content)
    # Late: most hubs never read a spreadsheet, and it takes a while to load.
    from openpyxl import DEFUSEDXML, load_workbook

    if not DEFUSEDXML:
        raise InvalidField(FIELD, N_("Spreadsheets are not read here: save it as CSV."))
    try:
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
        try:
            for sheet in book.worksheets[:_MOST_SHEETS]:
                yield _sheet_rows(sheet)
        finally:
            book.close()
    except InvalidField:
        raise
    except Exception as error:  # whatever a foreign file makes of a parser: it is the file that is wrong
        raise InvalidField(FIELD, _UNREADABLE) from error


def _check_size(content: bytes) -> None:
    """What is packed small may be huge. Raises: InvalidField."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            parts = packed.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise InvalidField(FIELD, _UNREADABLE) from error
    if len(parts) > _MOST_PARTS or sum(part.file_size for part in parts) > _UNPACKED_BYTES:
        raise InvalidField(FIELD, N_("This spreadsheet is too large when it is unpacked."))


def _sheet_rows(sheet: Any) -> list[SheetRow]:
    """Raises: InvalidField."""
    found = []
    for line, row in enumerate(sheet.iter_rows(max_row=_MOST_LINES + 1, max_col=_MOST_COLUMNS, values_only=True), 1):
        if line > _MOST_LINES:
            raise InvalidField(FIELD, N_("at most {limit} rows"), limit=MOST_ROWS)
        found.append(SheetRow(line, tuple(_cell(_text(each)) for each in row)))
    return found


def _text(value: Any) -> str:
    """A number as it is shown: 101 and not 101.0."""
    if value is None or isinstance(value, bool):
        return ""
    if isinstance(value, float) and value.is_integer():
        return f"{value:.0f}"
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value)


def _cell(text: str) -> str:
    kept = "".join(letter if letter.isprintable() else "\n" if letter in "\r\n" else " " for letter in text)
    return kept.strip()[:LONGEST_CELL]
