"""The plan is true: distances keep their proportion, marks can be told apart, names cover nothing or are left out."""

import math
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atalaia.core.errors import InvalidField
from atalaia.integrations.cvepro.model.plan import (
    LETTER,
    RADIUS,
    WIDTH,
    Drawing,
    Label,
    by_coordinates,
    on_picture,
    short_names,
)
from atalaia.integrations.cvepro.service.plan import read_place

NAMES = st.text(st.characters(categories=["L", "Nd"]), min_size=1, max_size=20)
EARTH = st.dictionaries(
    st.integers(1, 200).map(str),
    st.tuples(NAMES, st.floats(-23.57, -23.56), st.floats(-46.66, -46.65)),
    max_size=15,
)
PERCENT = st.dictionaries(
    st.integers(1, 200).map(str), st.tuples(NAMES, st.floats(0, 100), st.floats(0, 100)), max_size=30
)


def box(label: Label) -> tuple[float, float, float, float]:
    wide = len(label.text) * LETTER * 0.6
    left = label.x - {"start": 0.0, "middle": wide / 2, "end": wide}[label.anchor]
    return left, label.y - LETTER * 0.8, left + wide, label.y + LETTER * 0.2


def check(drawing: Drawing, keys: set[str]) -> None:
    spots = drawing.spots
    assert sorted(key for spot in spots for key in spot.keys) == sorted(keys), "each once"
    boxes = [box(spot.label) for spot in spots if spot.label]
    for left, top, right, bottom in boxes:
        assert left >= -0.5
        assert right <= WIDTH + 0.5
        assert top >= -0.5
        assert bottom <= drawing.height + 0.5
    for one, other in combinations(boxes, 2):
        slack = 0.3  # places are told to a tenth
        apart = one[2] <= other[0] + slack or other[2] <= one[0] + slack or one[3] <= other[1] + slack
        assert apart or other[3] <= one[1] + slack, "no label covers another"


@given(EARTH)
def test_coordinates_keep_their_proportion(found: dict[str, tuple[str, float, float]]) -> None:
    drawing = by_coordinates(found)
    if drawing is None:
        latitudes = [latitude for _, latitude, _ in found.values()]
        assert not latitudes or max(latitudes) - min(latitudes) < 1e-5
        return
    check(drawing, set(found))
    assert drawing.scale is not None
    assert drawing.scale.units <= WIDTH / 4 + 0.1
    assert round(drawing.scale.metres / 10 ** math.floor(math.log10(drawing.scale.metres) + 1e-9)) in {1, 2, 5}
    single = {spot.keys[0]: spot for spot in drawing.spots if len(spot.keys) == 1}
    for one, other in combinations(single, 2):
        metres = math.hypot(
            (found[one][1] - found[other][1]) * 111_194.9,
            (found[one][2] - found[other][2]) * 111_194.9 * math.cos(math.radians(found[one][1])),
        )
        units = math.hypot(single[one].x - single[other].x, single[one].y - single[other].y)
        told = units / drawing.scale.units * drawing.scale.metres
        assert abs(told - metres) <= 0.01 * metres + 1 / drawing.scale.units * drawing.scale.metres


def test_north_is_above_and_east_is_right() -> None:
    drawing = by_coordinates({"sw": ("A 1", -23.5601, -46.6501), "ne": ("A 2", -23.5600, -46.6500)})
    assert drawing is not None
    spots = {spot.keys[0]: spot for spot in drawing.spots}
    assert spots["ne"].x > spots["sw"].x
    assert spots["ne"].y < spots["sw"].y


@pytest.mark.parametrize("found", [{}, {"a": ("A", -23.5, -46.6)}, {"a": ("A", 1.0, 1.0), "b": ("B", 1.0, 1.000001)}])
def test_without_places_that_differ_there_is_no_plan(found: dict[str, tuple[str, float, float]]) -> None:
    assert by_coordinates(found) is None


@given(PERCENT, st.integers(1, 4000), st.integers(1, 4000))
def test_what_is_placed_on_a_picture_is_drawn_on_it(
    found: dict[str, tuple[str, float, float]], width_px: int, height_px: int
) -> None:
    drawing = on_picture(found, width_px=width_px, height_px=height_px)
    check(drawing, set(found))
    for one, other in combinations(drawing.spots, 2):
        several = len(one.keys) > 1 or len(other.keys) > 1
        assert several or math.hypot(one.x - other.x, one.y - other.y) >= 2 * RADIUS - 0.2


def test_what_all_names_begin_with_is_left_out() -> None:
    assert short_names(["Vaga 01", "Vaga 02"]) == {"Vaga 01": "01", "Vaga 02": "02"}
    assert short_names(["Vaga 01"]) == {"Vaga 01": "Vaga 01"}
    assert short_names(["Vaga", "Vaga 02"]) == {"Vaga": "Vaga", "Vaga 02": "Vaga 02"}
    assert short_names(["A carregador muito comprido", "B"])["A carregador muito comprido"] == "A carregador mu…"


@pytest.mark.parametrize(
    ("x", "y", "place"), [("", " ", None), ("0", "100", (0.0, 100.0)), ("12,345", "7.5", (12.35, 7.5))]
)
def test_a_place_is_two_numbers_or_none(x: str, y: str, place: tuple[float, float] | None) -> None:
    assert read_place(x, y, "at") == place


@pytest.mark.parametrize(("x", "y"), [("1", ""), ("a", "1"), ("-1", "1"), ("1", "101"), ("nan", "1"), ("1", "inf")])
def test_a_place_that_is_none_is_an_error_at_its_field(x: str, y: str) -> None:
    with pytest.raises(InvalidField) as error:
        read_place(x, y, "at:CVE-001")
    assert error.value.field == "at:CVE-001"
