"""A page begins where the last one ended, and a made-up cursor is refused."""

import base64

import pytest

from atalaia.core.errors import InvalidField
from atalaia.web.cursors import decode_cursor, encode_cursor, page_of


def test_a_cursor_comes_back_as_it_went() -> None:
    assert decode_cursor(encode_cursor("ção", 7), str, int) == ("ção", 7)


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "%%%",
        "é",
        base64.urlsafe_b64encode(b'["a"]').decode(),
        base64.urlsafe_b64encode(b'["\\u0000", 1]').decode(),
    ],
)
def test_what_is_no_cursor_of_the_list_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidField, match="cursor"):
        decode_cursor(cursor, str, int)


def test_a_page_has_a_cursor_only_where_there_is_more() -> None:
    assert page_of([1, 2, 3], 3, lambda row: (row,)) == ([1, 2, 3], None)
    page, cursor = page_of([1, 2, 3, 4], 3, lambda row: (row,))
    assert (page, decode_cursor(cursor, int)) == ([1, 2, 3], (3,))
