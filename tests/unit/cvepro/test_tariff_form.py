"""The form of a tariff: terms as they are typed, and what is wrong named at its field."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atalaia.core.errors import InvalidField
from atalaia.core.translations import LOCALES, Locale
from atalaia.integrations.cvepro.model.tariffs import Band, Terms, read_terms
from atalaia.integrations.cvepro.pages.tariff_form import field_of, shown_of, terms_of
from atalaia.integrations.cvepro.pages.typed import shown_micros, typed_micros

TERMS = Terms(
    price_micros=950_000,
    bands=(
        Band(name="Peak", days=(1, 2, 3, 4, 5), begins="18:00", ends="21:00", price_micros=1_853_210),
        Band(name="Night", begins="23:00", ends="06:00", price_micros=0),
    ),
    idle_fee_micros=100_000,
    idle_grace_min=15,
    monthly_fee_micros=25_000_000,
)


def filled(terms: Terms, locale: Locale, *, gap: int = 0) -> dict[str, str]:
    """What a browser sends; `gap` rows before the bands are left empty."""
    shown = shown_of(terms, locale=locale)
    form = {name: text for name, text in shown.items() if isinstance(text, str)}
    form["rows"] = str(len(shown["bands"]) + gap)
    for number, band in enumerate(shown["bands"]):
        row = f"band{number + gap}"
        form |= {f"{row}_{name}": band[name] for name in ("name", "from", "until", "price")}
        form |= {f"{row}_day{day}": "1" for day in band["days"]}
    return form


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("gap", [0, 3])
def test_what_a_form_is_filled_in_with_is_read_as_it_was(locale: Locale, gap: int) -> None:
    form = filled(TERMS, locale, gap=gap)
    assert read_terms(terms_of(form, locale=locale)) == TERMS


@given(st.integers(0, 10**12), st.sampled_from(LOCALES))
def test_an_amount_is_typed_as_it_is_shown(micros: int, locale: Locale) -> None:
    text = shown_micros(micros, locale=locale)
    try:
        assert typed_micros(text, "price", locale=locale) == micros
    except InvalidField:
        # Three decimals under 1,000 could be a thousand, where the comma or point stands for that.
        assert len(text.partition("," if locale == "pt-BR" else ".")[2]) == 3


@pytest.mark.parametrize(
    ("text", "locale", "micros"),
    [
        ("0,95", "pt-BR", 950_000),
        ("0.95", "pt-BR", 950_000),
        ("0,95", "en", 950_000),
        ("R$ 1,05", "pt-BR", 1_050_000),
        ("12", "en", 12_000_000),
        ("", "en", 0),
        ("0.123456", "en", 123_456),
    ],
)
def test_amounts_with_a_comma_or_a_point(text: str, locale: Locale, micros: int) -> None:
    assert typed_micros(text, "price", locale=locale) == micros


@pytest.mark.parametrize("text", ["-1", "1e3", "1.234,56", "x", "1.1234567", "٣", "NaN", "1.234"])
def test_what_is_no_amount_is_named(text: str) -> None:
    with pytest.raises(InvalidField) as caught:
        typed_micros(text, "band2_price", locale="pt-BR")
    assert caught.value.field == "band2_price"


def test_an_error_in_a_band_stands_at_its_row_also_below_an_empty_one() -> None:
    form = filled(TERMS, "en", gap=2)
    form["band3_from"] = "20:00"
    with pytest.raises(InvalidField) as caught:
        read_terms(terms_of(form, locale="en"))
    assert caught.value.field == "bands[1].from"
    assert field_of(caught.value.field, form) == "band3_from"
    assert field_of("bands[0].days", form) == "band2_day1"
    assert field_of("price_micros", form) == "price"
    assert field_of("idle_grace_min", form) == "idle_grace"
