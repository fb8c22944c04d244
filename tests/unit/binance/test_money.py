"""Money is exact, and has one text."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atalaia.core.errors import InvalidField
from atalaia.integrations.binance.model.money import as_json, plain, read_money, total

amounts = st.decimals(min_value=-(10**14), max_value=10**14, places=18, allow_nan=False)


@given(amounts)
def test_what_is_written_is_read_as_it_was(value: Decimal) -> None:
    assert read_money(plain(value), "x") == value
    assert plain(Decimal(plain(value))) == plain(value)


@given(st.lists(amounts, max_size=30))
def test_a_sum_loses_nothing(values: list[Decimal]) -> None:
    assert Fraction(total(values)) == sum(map(Fraction, values))


@pytest.mark.parametrize(
    "text", ["", "1e3", "1E-8", "NaN", "Infinity", "1,5", " 1", "+1", ".5", "5.", "0x1", "1_000", "１"]
)
def test_what_is_no_plain_decimal_number_names_its_field(text: str) -> None:
    with pytest.raises(InvalidField) as raised:
        read_money(text, "profit_target")
    assert raised.value.field == "profit_target"


def test_an_exponent_never_comes_out() -> None:
    assert plain(Decimal("1E+5")) == "100000"
    assert plain(Decimal("0E-8")) == "0"
    assert plain(Decimal("-0.0")) == "0"
    assert as_json({"a": [Decimal("1E-8")], "b": (Decimal("2.50"),)}) == {"a": ["0.00000001"], "b": ["2.5"]}
