"""The papers of a month: what stands on them, that their sums are the statement's, and that no name breaks them."""

from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from atalaia.core.translations import Locale
from atalaia.integrations.cvepro.model.reports import Format
from atalaia.integrations.cvepro.model.statement import Statement
from atalaia.integrations.cvepro.papers import bars
from atalaia.integrations.cvepro.papers.fonts import Letters, letters_for
from atalaia.integrations.cvepro.papers.orders import Look, Order, Wanted
from atalaia.integrations.cvepro.papers.press import printed
from tests import pdf_text
from tests.unit.cvepro.statement_kit import MADE_AT, TARIFF, flat_of, line, month_of_a_house, statement

FLAT = "101"
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


def paper(
    found: Statement,
    flat: str | None,
    format: Format,
    *,
    locale: Locale = "pt-BR",
    condominium: str = "Condomínio São João",
) -> bytes:
    look = Look(locale=locale, condominium=condominium, address="Rua das Palmeiras, 12", made_at=MADE_AT)
    (one,) = printed(Order(statement=found, look=look, wanted=(Wanted(flat=flat, format=format),)))
    return one.content


def sheets_of(found: Statement, flat: str | None, **given: Any) -> list[list[str]]:
    return pdf_text.pages(paper(found, flat, Format.PDF, **given))


def texts_of(found: Statement, flat: str | None, **given: Any) -> list[str]:
    return [text for sheet in sheets_of(found, flat, **given) for text in sheet]


def book_of(found: Statement, flat: str | None, **given: Any) -> Any:
    return load_workbook(BytesIO(paper(found, flat, Format.XLSX, **given)))


def total_of(sheet: Any, column: int) -> Decimal:
    """What stands in the last row, which is what the cells above come to."""
    cell = sheet.cell(sheet.max_row, column)
    assert cell.data_type == "n", cell.value
    told = Decimal(str(cell.value))
    above = (sheet.cell(row, column).value for row in range(4, sheet.max_row))
    assert sum((Decimal(str(value)) for value in above if isinstance(value, (int, float))), Decimal(0)) == told
    return told


def one_flat(*lines: Any) -> Statement:
    return statement([flat_of(FLAT, lines)])


def test_a_flats_paper_says_whose_it_is_what_was_charged_and_what_it_comes_to() -> None:
    found = one_flat(line(1, flat=FLAT), line(4, flat=FLAT, name="João Ávila"))
    texts = texts_of(found, FLAT)
    for expected in (
        "Condomínio São João",
        "Rua das Palmeiras, 12",
        "Recargas da unidade 101",
        "outubro de 2026 · Ana Souza, João Ávila",
        "14,864 kWh",
        "Vaga 12 · João Ávila",
        "R$ 0,95",
        "Madrugada",
        "Em vigor desde 15/09/2026",
        "seg, ter, qua, qui, sex, das 18:00 às 21:00",
    ):
        assert expected in texts, expected
    total = found.flats[0].sums.total_micros
    assert texts.count(f"R$ {total // 1_000_000},{total // 10_000 % 100:02}") >= 2  # large, and what is to be paid
    assert "Gerado em 01/11/2026 06:30 (America/Sao_Paulo) · Página 1 de 1" in texts


def test_parts_of_a_price_stand_below_their_session_and_sum_to_it() -> None:
    found = one_flat(line(2, flat=FLAT))
    only = found.flats[0].lines[0]
    assert len(only.parts) > 1
    texts = texts_of(found, FLAT, locale="en")
    for part in only.parts:
        assert f"R$ {Decimal(part.cost_micros) / 1_000_000:.2f}" in texts
    assert sum(part.cost_micros for part in only.parts) == only.cost_micros


def test_it_is_english_where_that_is_set() -> None:
    texts = texts_of(one_flat(line(1, flat=FLAT)), FLAT, locale="en")
    assert "Charging of flat 101" in texts
    assert "7.432 kWh" in texts
    assert "Made on Nov 1, 2026, 06:30 (America/Sao_Paulo) · Page 1 of 1" in texts


def test_ninety_sessions_go_on_over_sheets_that_are_counted_and_headed() -> None:
    sheets = sheets_of(one_flat(*(line(n, flat=FLAT) for n in range(90))), FLAT)
    assert len(sheets) > 3
    for number, sheet in enumerate(sheets, start=1):
        assert any(text.endswith(f"Página {number} de {len(sheets)}") for text in sheet)
    assert sum("Início" in sheet for sheet in sheets) >= len(sheets) - 1
    sums = [sheet for sheet in sheets if "Soma" in sheet]
    assert len(sums) == 1
    assert sums[0].index("Soma") > sums[0].index("Início") + 10  # not alone below the heads


def test_an_empty_month_says_so_and_still_has_its_tariff() -> None:
    texts = texts_of(one_flat(), FLAT)
    assert "Ninguém desta unidade fez recarga neste mês." in texts
    assert "R$ 25,00" in texts
    assert "Ninguém fez recarga neste mês." in texts_of(statement([]), None)
    assert book_of(statement([]), None).sheetnames == ["Resumo", "Sessões"]


def test_doubtful_figures_have_an_asterisk_and_the_reason() -> None:
    found = one_flat(line(1, flat=FLAT, doubts=("shrank",)), line(2, flat=FLAT, energy_mwh=None), line(3, flat=FLAT))
    texts = texts_of(found, FLAT)
    assert [text for text in texts if text.endswith(" *")] == ["01/10 07:11 *", "01/10 14:22 *"]
    assert "O fornecedor agora diz menos do que antes; fica o valor maior: 01/10 07:11." in texts
    assert "A energia não foi informada: 01/10 14:22." in texts
    assert "01/10 07:11 (101)" in " ".join(texts_of(found, None))


def test_a_cost_that_the_vendor_told_is_called_so() -> None:
    texts = texts_of(statement([flat_of(FLAT, [line(1, flat=FLAT, tariff=None)], fee=0)], tariffs=()), FLAT)
    assert "do fornecedor" in texts
    assert "Não havia tarifa em vigor: os custos são os informados pelo fornecedor." in texts


def test_the_whole_has_each_flat_and_sums_that_are_theirs_and_what_is_nobodys_at_the_end() -> None:
    found = statement([*month_of_a_house().flats])
    texts = texts_of(found, None)
    assert {flat.flat for flat in found.flats if flat.flat} <= {text.removesuffix(" *") for text in texts}
    assert sum(flat.sums.total_micros for flat in found.flats) == found.sums.total_micros
    assert "Sessões sem unidade conhecida" in texts
    tags = {each.tag for flat in found.flats if flat.flat is None for each in flat.lines}
    assert tags
    assert all(any(tag in text for text in texts) for tag in tags if tag)
    assert texts.index("Por unidade") < texts.index("Sessões sem unidade conhecida")


def test_a_flats_paper_names_nobody_of_another() -> None:
    found = statement([flat_of(FLAT, [line(1, flat=FLAT)]), flat_of("102", [line(2, flat="102", name="Vizinha")])])
    assert "Vizinha" not in " ".join(texts_of(found, FLAT))
    for sheet in book_of(found, FLAT):
        assert "Vizinha" not in str([[cell.value for cell in row] for row in sheet.iter_rows()])


@pytest.mark.parametrize("flat", [FLAT, None])
def test_the_sums_of_a_spreadsheet_are_stored_and_are_the_statements(flat: str | None) -> None:
    found = statement([*month_of_a_house().flats, flat_of(FLAT, [line(n, flat=FLAT) for n in range(9)])])
    sums = found.sums if flat is None else next(each.sums for each in found.flats if each.flat == flat)
    summary, sessions = book_of(found, flat)
    if flat is not None:
        sums = next(each for each in found.flats if each.flat == flat).sums
    assert total_of(summary, 3) == sums.sessions
    assert total_of(summary, 4) == Decimal(sums.energy_mwh) / 1_000_000
    assert total_of(summary, 8) == Decimal(sums.total_micros) / 1_000_000
    heads = [cell.value for cell in sessions[3]]
    assert total_of(sessions, heads.index("kWh") + 1) == Decimal(sums.energy_mwh) / 1_000_000
    assert total_of(sessions, heads.index("Custo") + 1) == Decimal(sums.sessions_micros) / 1_000_000
    bands = [n for n, head in enumerate(heads, start=1) if head.startswith("kWh ")]
    assert sum((total_of(sessions, n) for n in bands), Decimal(0)) == Decimal(sums.energy_mwh) / 1_000_000


def test_a_spreadsheet_has_real_dates_and_numbers_formats_and_a_head_that_stays() -> None:
    _, sessions = book_of(one_flat(line(1, flat=FLAT)), FLAT)
    assert sessions.freeze_panes == "A4"
    began, energy = sessions["A4"], sessions["H4"]
    assert (str(began.value), began.number_format) == ("2026-10-01 07:11:00", "dd/mm/yyyy hh:mm")
    assert (float(energy.value), energy.data_type, energy.number_format) == (7.432, "n", "#,##0.000")
    assert sessions.column_dimensions["G"].width == 22


@pytest.mark.parametrize("name", ["=1+1", "+55 11", "-2", "@SUM(A1)", '=HYPERLINK("http://x")', "\t=1", "\x00=1"])
def test_what_people_typed_is_never_a_formula(name: str) -> None:
    for sheet in book_of(one_flat(line(1, flat=FLAT, name=name, charger=name)), FLAT, condominium=name):
        for row in sheet.iter_rows(max_row=sheet.max_row - 1):
            for cell in row:
                assert cell.data_type != "f", cell.value
                if isinstance(cell.value, str) and cell.value.startswith(("=", "+", "-", "@")):
                    assert cell.quotePrefix


@given(name=TEXT, charger=TEXT, flat=TEXT.filter(bool))
@settings(max_examples=12, deadline=None)
def test_no_name_breaks_a_paper(name: str, charger: str, flat: str) -> None:
    found = statement([flat_of(flat, [line(1, flat=flat, name=name, charger=charger, doubts=("unit",))])])
    for of in (flat, None):
        assert sheets_of(found, of, condominium=name)
        book_of(found, of, condominium=name)


def test_letters_beyond_western_europe_show_or_come_down_to_the_nearest() -> None:
    vera = letters_for(["Conceição"])
    assert "Vera" in vera.plain
    assert vera.fitting("Ștefan Łukasz") == "Stefan Łukasz"
    assert vera.fitting("Пётр 中") == "???? ?"
    assert vera.fitting("a\u200bb\u0301") == "ab"
    best = letters_for(["Пётр"])
    if best is not vera:  # a machine with DejaVu
        assert best.fitting("Пётр Ștefan") == "Пётр Ștefan"
        texts = texts_of(one_flat(line(1, flat=FLAT, name="Пётр Ștefan")), FLAT)
        assert "outubro de 2026 · Пётр Ștefan" in texts


def test_a_flat_of_any_length_keeps_within_the_sheet() -> None:
    flat = "Torre das Palmeiras Imperiais, Ala Norte, Cobertura Duplex 2301-B"
    texts = texts_of(statement([flat_of(flat, [line(1, flat=flat, name="N" * 300)])]), flat)
    assert "Recargas da unidade Torre das Palmeiras" in texts
    assert any(text.endswith("…") for text in texts)


@pytest.mark.parametrize(
    ("most", "scale"), [(0, [0, 10]), (9, [0, 10]), (95, [0, 25, 50, 75, 100]), (41, [0, 20, 40, 60])]
)
def test_a_scale_goes_to_the_first_even_step_above_the_most(most: int, scale: list[int]) -> None:
    found = bars.rounded_scale(most, unit=10)
    assert found[-1] >= most
    assert found == scale


def test_the_tariff_that_is_printed_is_the_one_that_was_paid_by() -> None:
    assert "R$ 1,45/kWh" in texts_of(one_flat(line(1, flat=FLAT)), FLAT)
    assert TARIFF.terms.bands[0].price_micros == 1_450_000
    assert isinstance(letters_for([]), Letters)
