"""Phone numbers are taken as people write them, and only where it is clear whose they are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atalaia.core.errors import InvalidField
from atalaia.integrations.evolution.numbers import MOST, digits_of, read_number, read_numbers


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("+55 11 91234-5678", "+5511912345678"),
        ("55 (11) 91234.5678", "+5511912345678"),
        ("5511912345678", "+5511912345678"),
        ("+55 31 3333-4444", "+553133334444"),
        ("+55 31 8333-4444", "+553183334444"),  # without the ninth digit, as older lines are on WhatsApp
        ("+351 912 345 678", "+351912345678"),
        ("+1 415 555 0100", "+14155550100"),
    ],
)
def test_a_number_is_kept_as_plus_and_digits(text: str, kept: str) -> None:
    assert read_number(text) == kept
    assert digits_of(kept) == kept[1:]


@pytest.mark.parametrize(
    "text",
    [
        "11 91234-5678",  # no country code: it would be another country's
        "+55 11 1234",
        "+55 01 91234-5678",
        "+55 11 91234-56789",
        "+55 11 812345678",
        "+0 123 456 789",
        "+1234567890123456",
        "++5511912345678",
        "+55 11 9123A-5678",
        "5511912345678@s.whatsapp.net",
        "+٥٥١١٩١٢٣٤٥٦٧٨",
        "",
    ],
)
def test_what_is_no_whole_number_is_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidField) as refused:
        read_number(text)
    assert refused.value.field == "numbers"
    assert refused.value.hint


@given(st.text())
def test_whatever_is_typed_is_a_number_or_an_error(text: str) -> None:
    try:
        kept = read_number(text)
    except InvalidField:
        return
    assert kept == read_number(kept)
    assert kept[1:].isascii()
    assert kept[1:].isdigit()


def test_a_number_that_is_there_twice_is_one() -> None:
    assert read_numbers(["+55 11 91234-5678", "5511912345678"]) == ["+5511912345678"]


def test_none_and_too_many_are_refused() -> None:
    with pytest.raises(InvalidField):
        read_numbers([])
    with pytest.raises(InvalidField):
        read_numbers([f"+55119{number:08}" for number in range(MOST + 1)])
