"""Files of residents: read in the forms that people's programs write, and refused in words where they can't be."""

import io
import zipfile
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from atalaia.core.errors import InvalidField
from atalaia.integrations.cvepro.model.rosters import Roster, Said, read_row
from atalaia.integrations.cvepro.service.rosters import MOST_ROWS, read_file

ANA = Said("Ana João", "B 101", "+5511912345678", "ana@example.org", ("04A2", "04B3"))
TABLE = [
    ["Nome", "Bloco", "Apto", "Celular", "E-mail", "Cartão"],
    ["Ana João", "B", "101", "(11) 91234-5678", "Ana@example.org", "04:a2 / 04-B3"],
]


def said(content: bytes) -> list[Said]:
    roster = read_file(content)
    return [read_row(roster, row) for row in roster.rows]


def text(delimiter: str) -> str:
    return "\r\n".join(delimiter.join(row) for row in TABLE)


def workbook(rows: list[list[object]]) -> bytes:
    book, out = Workbook(), io.BytesIO()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    book.save(out)
    return out.getvalue()


@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_a_csv_is_read_in_every_encoding_that_spreadsheets_write(delimiter: str, encoding: str) -> None:
    assert said(text(delimiter).encode(encoding)) == [ANA]


def test_excels_own_first_line_and_titles_above_are_passed_over() -> None:
    assert said(f"sep=|\r\nMoradores 2026\r\n\r\n{text('|')}".encode()) == [ANA]


def test_an_xlsx_is_read_with_numbers_as_they_are_shown() -> None:
    rows: list[list[object]] = [
        ["Lista de moradores"],
        ["Full name", "FLAT", "Telefone", "tag1", "Tag 2", "Vaga"],
        ["Rui", 101.0, 11912345678.0, 123456789012, "aa-bb", "G1 12"],
    ]
    content = workbook(rows)
    assert said(content) == [Said("Rui", "101", "+5511912345678", None, ("123456789012", "AABB"))]
    roster = read_file(content)
    assert (roster.unread, roster.rows[0].line) == (("Vaga",), 3)


@pytest.mark.parametrize(
    "headings",
    [
        "nome;apartamento",
        "NOME;Apto.",
        "Morador;Unidade",
        "name;flat",
        "Résident;Unit",
        "Nome completo;Nº da unidade;x",
    ],
)
def test_headings_are_known_whatever_their_case_accents_and_language(headings: str) -> None:
    if headings.startswith("Nome completo"):
        headings = headings.replace("Nº", "Número")
    assert read_file(f"{headings}\nAna;101".encode()).rows[0].cells[:2] == ("Ana", "101")


def test_several_phones_in_a_cell_give_the_first_that_is_one() -> None:
    assert said(b"nome;apto;telefone\nAna;1;33334444 / 11 91234-5678")[0].phone == "+5511912345678"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xd0\xcf\x11\xe0old",
        b"PK\x03\x04broken",
        b"\x89PNG\r\n\x1a\n\x00\x00",
        b"a;b\n1;2",
        b"nome;apto\n",
        b"nome;apto\n" + b"x;1\n" * (MOST_ROWS + 1),
        b"x" * (2 * 1024 * 1024 + 1),
    ],
)
def test_what_is_no_list_of_residents_is_refused_in_words(content: bytes) -> None:
    with pytest.raises(InvalidField) as refused:
        read_file(content)
    assert refused.value.field == "file"


def test_what_unpacks_to_far_more_than_it_is_packed_is_refused_unread() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/worksheets/sheet1.xml", b"0" * (25 * 1024 * 1024))
    with pytest.raises(InvalidField, match="unpacked"):
        read_file(out.getvalue())


def test_entities_of_a_spreadsheet_are_not_expanded() -> None:
    packed = io.BytesIO(workbook([["nome", "apto"], ["Ana", "1"]]))
    out = io.BytesIO()
    with zipfile.ZipFile(packed) as old, zipfile.ZipFile(out, "w") as new:
        for part in old.infolist():
            content = old.read(part)
            if part.filename.endswith("sheet1.xml"):
                content = b'<!DOCTYPE x [<!ENTITY a "aaaa">]>' + content.replace(b"Ana", b"&a;")
            new.writestr(part, content)
    with pytest.raises(InvalidField):
        read_file(out.getvalue())


def test_a_sheet_that_claims_to_have_a_million_lines_is_refused() -> None:
    book, out = Workbook(), io.BytesIO()
    sheet = book.active
    assert sheet is not None
    sheet.append(["nome", "apto"])
    sheet.cell(row=1_000_000, column=1, value="Ana")
    book.save(out)
    with pytest.raises(InvalidField, match="rows"):
        read_file(out.getvalue())


@given(st.binary(max_size=400))
def test_whatever_is_uploaded_is_read_or_refused(content: bytes) -> None:
    for prefix in (b"", b"PK\x03\x04", b"nome;apto\n"):
        with suppress(InvalidField):
            roster: Roster = read_file(prefix + content)
            for row in roster.rows:
                with suppress(InvalidField):
                    read_row(roster, row)
