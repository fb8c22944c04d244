"""How tags, phones and flats are read: whatever is typed, one form or a clear error."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atalaia.core.errors import InvalidField
from atalaia.integrations.cvepro.api.residents import read_limit
from atalaia.integrations.cvepro.model.residents import (
    read_email,
    read_flat,
    read_phone,
    read_tag,
    read_tags,
    tag_key,
)


@pytest.mark.parametrize("typed", ["04A21B33", "04:a2:1b:33", " 04-A2-1B-33 ", "04 a2 1b 33", "04.a2_1b/33"])
def test_a_tag_is_the_same_however_a_reader_writes_it(typed: str) -> None:
    assert read_tag(typed) == "04A21B33"


@given(st.text())
def test_a_tag_is_read_the_same_from_its_own_form(text: str) -> None:
    key = tag_key(text)
    assert key is None or tag_key(key) == key


@pytest.mark.parametrize("typed", ["", "  ", "-:-", "x" * 65, "a\x00b"])
def test_what_is_no_tag_is_refused_at_its_field(typed: str) -> None:
    with pytest.raises(InvalidField) as refused:
        read_tag(typed, "tag")
    assert refused.value.field == "tag"


def test_tags_stand_once_each_and_are_not_without_end() -> None:
    assert read_tags(["aa", "A-A", "bb"]) == ("AA", "BB")
    with pytest.raises(InvalidField):
        read_tags([f"T{n}" for n in range(21)])


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("(11) 91234-5678", "+5511912345678"),
        ("11 3333-4444", "+551133334444"),
        ("011 91234 5678", "+5511912345678"),
        ("55 11 91234-5678", "+5511912345678"),
        ("+55 11 91234-5678", "+5511912345678"),
        ("55 99123-4567", "+5555991234567"),  # 55 is an area code too
        ("+351 912 345 678", "+351912345678"),
        ("00351912345678", "+351912345678"),
        ("", None),
        (" - ", None),
    ],
)
def test_a_phone_number_is_one_of_brazil_unless_it_says_otherwise(typed: str, kept: str | None) -> None:
    assert read_phone(typed) == kept


@pytest.mark.parametrize("typed", ["91234-5678", "+55 11 1234", "12", "11 81234-56789", "phone", "+0 11 91234-5678"])
def test_what_is_no_phone_number_is_refused(typed: str) -> None:
    with pytest.raises(InvalidField):
        read_phone(typed)


@given(st.text())
def test_a_phone_number_is_kept_as_e164_or_refused(text: str) -> None:
    try:
        kept = read_phone(text)
    except InvalidField:
        return
    assert kept is None or (kept[0] == "+" and kept[1:].isdigit() and 7 <= len(kept) - 1 <= 15)
    assert kept is None or read_phone(kept) == kept


def test_flats_and_addresses_are_trimmed_and_checked() -> None:
    assert read_flat("  101   A ") == "101 A"
    assert read_email(" Ana@Example.ORG ") == "ana@example.org"
    for wrong in ("ana", "ana@", "a b@c.d", "ana@example", "ana@exa\x00mple.org"):
        with pytest.raises(InvalidField):
            read_email(wrong)


@pytest.mark.parametrize("limit", ["0", "501", "-1", "x", "000000005999999", "9" * 5000])
def test_a_page_has_no_more_rows_than_it_may(limit: str) -> None:
    with pytest.raises(InvalidField):
        read_limit({"limit": limit})


def test_a_page_has_as_many_rows_as_are_asked_for() -> None:
    assert [read_limit({"limit": limit}) for limit in ("1", "500", "")] == [1, 500, 100]
