from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from atalaia.web.drawing import bar_paths, bar_slots, query, spark

VALUES = st.lists(st.none() | st.floats() | st.floats(-1e9, 1e9), max_size=60)


def days(states: str) -> list[dict[str, Any]]:
    return [{"state": {"u": "up", "d": "down", "-": None}[letter]} for letter in states]


@given(VALUES)
@example([0.0, 5e-324])
@example([-1.7e308, float("nan"), 1.7e308])
def test_a_line_never_leaves_its_frame(values: list[float | None]) -> None:
    drawn = spark(values)
    for part in drawn["line"].replace("M", " ").replace("L", " ").split():
        x, y = map(int, part.split(","))
        assert 0 <= x <= 960
        assert 0 <= y <= 200


def test_a_missing_value_is_a_gap_and_a_lone_one_a_dot() -> None:
    assert spark([1, None, 2])["line"] == "M0,200L0,200M960,0L960,0"
    assert spark([]) == spark([None, None]) == {"line": "", "area": ""}


def test_values_that_do_not_change_are_a_line_in_the_middle() -> None:
    assert spark([5, 5])["line"] == "M0,100L960,100"


def test_neighbouring_days_of_one_state_are_one_piece() -> None:
    assert bar_paths(days("uud-"), last=4) == [
        ("up", "M0,0h16v32h-16z"),
        ("down", "M16,0h8v32h-8z"),
        ("none", "M24,0h8v32h-8z"),
    ]


def test_a_young_check_has_its_days_at_the_right() -> None:
    assert bar_paths(days("u"), last=3) == [("up", "M16,0h8v32h-8z")]
    assert len(bar_slots(days("uuu"))) == 3


def test_a_filter_that_is_taken_away_leaves_the_address() -> None:
    assert query({"state": "down", "cursor": "x"}, cursor=None) == "?state=down"
    assert query({"q": "a b&c"}) == "?q=a+b%26c"
    assert query({"q": ""}) == ""
