from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atalaia.integrations.binance.exchange.port import SymbolRules
from atalaia.integrations.binance.exchange.rules import plain, round_down, split

STEPS = st.sampled_from(
    [Decimal(text) for text in ("0.00000001", "0.00001", "0.001", "0.1", "1", "10", "1000", "0.005")]
)
QUANTITIES = st.decimals(min_value=0, max_value=10**12, places=9, allow_nan=False, allow_infinity=False)


def rules(step: Decimal, market_max: Decimal) -> SymbolRules:
    return SymbolRules(
        step=step, market_max=market_max, market_min=step, price_tick=Decimal("0.1"), min_notional=Decimal(5)
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("1E-5", "0.00001"),
        ("1E+3", "1000"),
        ("0.0010", "0.001"),
        ("100", "100"),
        ("100.00", "100"),
        ("0E-8", "0"),
        ("12345678901234567890.123456789", "12345678901234567890.123456789"),
    ],
)
def test_a_quantity_is_written_as_plain_decimal_text(value: str, text: str) -> None:
    assert plain(Decimal(value)) == text


@given(value=st.decimals(min_value=0, max_value=10**20, allow_nan=False, allow_infinity=False))
def test_plain_text_is_the_same_number_without_an_exponent(value: Decimal) -> None:
    text = plain(value)
    assert Decimal(text) == value
    assert set(text) <= set("0123456789.")


@given(quantity=QUANTITIES, step=STEPS)
def test_rounding_gives_whole_steps_and_never_more_than_there_is(quantity: Decimal, step: Decimal) -> None:
    rounded = round_down(quantity, step)
    assert rounded % step == 0
    assert 0 <= quantity - rounded < step


def test_rounding_is_exact_beyond_the_digits_of_the_default_context() -> None:
    just_below = Decimal("0." + "9" * 40)
    assert round_down(just_below, Decimal(1)) == 0


@given(quantity=QUANTITIES, step=STEPS, most=st.integers(1, 10**6))
def test_orders_together_close_all_whole_steps_and_none_is_above_the_maximum(
    quantity: Decimal, step: Decimal, most: int
) -> None:
    quantity = min(quantity, 500 * most * step)
    found = split(quantity, rules(step, most * step))
    assert sum(found, Decimal(0)) == round_down(quantity, step)
    assert all(0 < each <= most * step and each % step == 0 for each in found)
    assert len(found) == -(-int(round_down(quantity, step) / step) // most)
    assert max(found, default=Decimal(0)) - min(found, default=Decimal(0)) <= step


def test_less_than_a_step_is_no_order() -> None:
    assert split(Decimal("0.0009"), rules(Decimal("0.001"), Decimal(120))) == []


def test_above_the_market_maximum_it_is_split() -> None:
    assert split(Decimal(250), rules(Decimal("0.001"), Decimal(120))) == [
        Decimal("83.334"),
        Decimal("83.333"),
        Decimal("83.333"),
    ]
