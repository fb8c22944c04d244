"""What a hub says of records that it left out is read as it comes."""

import pytest

from atalaia_agent.sender import _left_out


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (None, {}),
        ("nonsense", {}),
        ([{"seq": 3, "why": "internal error: KeyError"}, {"seq": "4"}, 5, {}], {3: "internal error: KeyError"}),
        ([{"seq": 3}], {3: ""}),
    ],
)
def test_only_numbers_with_a_reason_are_taken(said: object, expected: dict[int, str]) -> None:
    assert _left_out(said) == expected
