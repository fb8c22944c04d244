"""A file of residents: which column is what, by its heading in Portuguese or English, and what a row says. Pure."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from atalaia.core.errors import AtalaiaError, InvalidField
from atalaia.core.translations import N_
from atalaia.integrations.cvepro.model.residents import read_email, read_flat, read_name, read_phone, read_tags

FIELD: Final = "file"
LONGEST_CELL: Final = 300
_HEADING_WITHIN: Final = 20  # lines: titles and empty ones may stand above
_SEVERAL: Final = re.compile(r"[,;/|\n]")
# As `fold` writes them; a number may follow.
_HEADINGS: Final = {
    "name": {"nome", "nomecompleto", "nomedomorador", "morador", "moradora", "residente", "condomino"}
    | {"name", "fullname", "resident", "residentname"},
    "flat": {"apartamento", "apto", "ap", "unidade", "numerodoapartamento", "numerodaunidade", "complemento"}
    | {"flat", "apartment", "apt", "unit"},
    "block": {"bloco", "bl", "torre", "edificio", "block", "tower", "building"},
    "phone": {"telefone", "telefonecelular", "celular", "fone", "tel", "cel", "whatsapp", "zap", "contato"}
    | {"phone", "phonenumber", "mobile", "mobilephone", "cell", "cellphone", "telephone"},
    "email": {"email", "correioeletronico", "enderecodeemail", "emailaddress", "mail"},
    "tag": {"tag", "tags", "tagrfid", "rfid", "rfidtag", "rfidtags", "cartao", "cartoes", "cartaorfid", "chip"}
    | {"card", "cards", "rfidcard", "idtag", "ocppidtag", "codigodatag", "numerodatag"},
}
_BY_HEADING: Final = {heading: field for field, headings in _HEADINGS.items() for heading in headings}

Cells = tuple[str, ...]


class SheetRow(msgspec.Struct, frozen=True, array_like=True):
    """`line` as the reader's program counts them, from 1."""

    line: int
    cells: Cells


class Roster(msgspec.Struct, frozen=True):
    """`columns`: for each field the places of its columns; `unread`: headings that say nothing to us."""

    headings: Cells
    columns: dict[str, tuple[int, ...]]
    unread: Cells
    rows: tuple[SheetRow, ...]


class Said(msgspec.Struct, frozen=True):
    """What one row says; None where it says nothing."""

    name: str
    flat: str
    phone: str | None = None
    email: str | None = None
    tags: tuple[str, ...] = ()


def fold(text: str) -> str:
    """Alike whatever case, accents, blanks and punctuation."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    return "".join(letter for letter in plain if letter.isalnum())


def read_roster(sheet: Sequence[SheetRow], *, most: int) -> Roster:
    """Raises: InvalidField: there are no headings, no rows, or more than `most` of them."""
    place, columns = next(_headings(sheet), (None, {}))
    if place is None:
        hint = N_("The first line names the columns: name, flat, phone, e-mail, tag. The example file shows how.")
        raise InvalidField(FIELD, N_("No columns with a name and a flat were found."), hint=hint)
    rows = tuple(each for each in sheet[place + 1 :] if any(each.cells))
    if not rows:
        raise InvalidField(FIELD, N_("There is no row below the names of the columns."))
    if len(rows) > most:
        raise InvalidField(FIELD, N_("at most {limit} rows"), limit=most)
    known = {index for places in columns.values() for index in places}
    headings = sheet[place].cells
    unread = tuple(cell for index, cell in enumerate(headings) if cell and index not in known)
    return Roster(headings, columns, unread, rows)


def read_row(roster: Roster, row: SheetRow) -> Said:
    """Raises: InvalidField: names the field."""
    texts = {field: _texts(row, places) for field, places in roster.columns.items()}
    flat = " ".join([*texts.get("block", [])[:1], *texts.get("flat", [])[:1]])
    return Said(
        name=read_name(_first(texts.get("name", []))),
        flat=read_flat(flat),
        phone=_phone(texts.get("phone", [])),
        email=read_email(_first(_parts(texts.get("email", [])))),
        tags=read_tags(_parts(texts.get("tag", [])), "tag"),
    )


def _headings(sheet: Sequence[SheetRow]) -> Iterator[tuple[int, dict[str, tuple[int, ...]]]]:
    for place, row in enumerate(sheet[:_HEADING_WITHIN]):
        columns = _columns(row.cells)
        if "name" in columns and ("flat" in columns or "block" in columns):
            yield place, columns


def _columns(headings: Cells) -> dict[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {}
    for index, heading in enumerate(headings):
        field = _BY_HEADING.get(fold(heading).rstrip("0123456789"))
        if field is not None:
            found[field] = (*found.get(field, ()), index)
    return found


def _texts(row: SheetRow, places: Sequence[int]) -> list[str]:
    return [text for index in places if index < len(row.cells) and (text := row.cells[index].strip())]


def _first(texts: Sequence[str]) -> str:
    return texts[0] if texts else ""


def _parts(texts: Sequence[str]) -> list[str]:
    """Several may stand in one cell."""
    return [part.strip() for text in texts for part in _SEVERAL.split(text) if part.strip()]


def _phone(texts: Sequence[str]) -> str | None:
    """The first that is one; a cell may hold several. Raises: InvalidField: none is."""
    problem: AtalaiaError | None = None
    for text in [*texts, *_parts(texts)]:
        try:
            return read_phone(text)
        except InvalidField as error:
            problem = problem or error
    if problem is not None:
        raise problem
    return None
