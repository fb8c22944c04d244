"""Where the chargers are drawn: by their coordinates in true proportion, or by where they were placed on a picture. Pure.

A drawing is `WIDTH` units wide. What would lie on one another is one spot; a name is left out where there is no room for it.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

WIDTH: Final = 1000.0
RADIUS: Final = 20.0  # of a mark
LETTER: Final = 22.0  # how high a letter is
_LETTER_WIDTH: Final = 0.6
_MARGIN: Final = 70.0
_FOOT: Final = 60.0  # below, for the scale and where north is
_HIGHEST: Final = 1200.0
_LEAST_HEIGHT: Final = 260.0
_EARTH_M: Final = 6_371_000.0
_SAME_M: Final = 1.0
_SCALE_SHARE: Final = 0.25  # of the width, at most
_LONGEST_NAME: Final = 16

Anchor = Literal["start", "middle", "end"]


@dataclass(frozen=True, slots=True)
class Place:
    """`x` and `y` in whatever units, `y` downwards."""

    key: str
    name: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Label:
    text: str
    x: float
    y: float
    anchor: Anchor


@dataclass(frozen=True, slots=True)
class Spot:
    """Of one charger, or of several that are too near to each other."""

    keys: tuple[str, ...]
    x: float
    y: float
    label: Label | None


@dataclass(frozen=True, slots=True)
class Scale:
    """So many metres are so many units."""

    metres: float
    units: float


@dataclass(frozen=True, slots=True)
class Drawing:
    height: float
    spots: Sequence[Spot]
    scale: Scale | None = None


@dataclass(frozen=True, slots=True)
class _Box:
    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: "_Box") -> bool:
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )


def by_coordinates(found: Mapping[str, tuple[str, float, float]]) -> Drawing | None:
    """`{key: (name, latitude, longitude)}`, north above. None where all are at one point, or there are none."""
    metres = _in_metres(found)
    if not metres:
        return None
    left, right = min(each.x for each in metres), max(each.x for each in metres)
    top, bottom = min(each.y for each in metres), max(each.y for each in metres)
    wide_m, high_m = right - left, bottom - top
    if max(wide_m, high_m) < _SAME_M:
        return None
    inner, highest = WIDTH - 2 * _MARGIN, _HIGHEST - 2 * _MARGIN
    units = min(inner / wide_m if wide_m else math.inf, highest / high_m if high_m else math.inf)
    height = max(_LEAST_HEIGHT, high_m * units + 2 * _MARGIN)
    aside, above = (WIDTH - wide_m * units) / 2, (height - high_m * units) / 2
    placed = [
        Place(each.key, each.name, aside + (each.x - left) * units, above + (each.y - top) * units) for each in metres
    ]
    return Drawing(round(height + _FOOT, 1), spots_of(placed, height=height), _scale(units))


def on_picture(found: Mapping[str, tuple[str, float, float]], *, width_px: int, height_px: int) -> Drawing:
    """`{key: (name, x, y)}` in percent of the picture's width and height, from the top left."""
    height = WIDTH * height_px / width_px
    placed = [Place(key, name, x * WIDTH / 100, y * height / 100) for key, (name, x, y) in found.items()]
    return Drawing(round(height, 1), spots_of(placed, height=height))


def spots_of(placed: Sequence[Place], *, height: float) -> list[Spot]:
    """From the top left to the bottom right, as they are read."""
    groups = _grouped(sorted(placed, key=lambda each: (round(each.y / RADIUS), each.x, each.key)))
    centres = [(sum(p.x for p in group) / len(group), sum(p.y for p in group) / len(group)) for group in groups]
    names = short_names([each.name for group in groups for each in group])
    taken = [_Box(x - RADIUS, y - RADIUS, x + RADIUS, y + RADIUS) for x, y in centres]
    spots = []
    for group, (x, y) in zip(groups, centres, strict=True):
        text = names[group[0].name] if len(group) == 1 else f"×{len(group)}"
        label = _label(text, x, y, taken=taken, height=height)
        spots.append(Spot(tuple(each.key for each in group), round(x, 1), round(y, 1), label))
    return spots


def short_names(names: Iterable[str]) -> dict[str, str]:
    """Without the words that all of them begin with: of `Vaga 01` and `Vaga 02` the numbers."""
    words = {name: name.split() for name in names}
    common = 0
    while len(words) > 1 and all(len(each) > common + 1 for each in words.values()):
        if len({each[common] for each in words.values()}) > 1:
            break
        common += 1
    return {name: _cut(" ".join(each[common:]) or name) for name, each in words.items()}


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_NAME else text[: _LONGEST_NAME - 1].rstrip() + "…"


def _in_metres(found: Mapping[str, tuple[str, float, float]]) -> list[Place]:
    """On the plane that touches the earth in the middle of them: good to a thousandth over some ten kilometres."""
    if not found:
        return []
    latitudes = [latitude for _, latitude, _ in found.values()]
    stretch = max(0.01, math.cos(math.radians((min(latitudes) + max(latitudes)) / 2)))
    return [
        Place(key, name, math.radians(longitude) * stretch * _EARTH_M, -math.radians(latitude) * _EARTH_M)
        for key, (name, latitude, longitude) in found.items()
    ]


def _scale(units_a_metre: float) -> Scale:
    """A round length: 1, 2 or 5 with zeros."""
    most_m = WIDTH * _SCALE_SHARE / units_a_metre
    ten = 10.0 ** math.floor(math.log10(most_m))
    metres = max(step * ten for step in (1, 2, 5) if step * ten <= most_m)
    return Scale(metres, round(metres * units_a_metre, 1))


def _grouped(placed: Sequence[Place]) -> list[list[Place]]:
    groups: list[list[Place]] = []
    for place in placed:
        near = [group for group in groups if any(_is_near(place, each) for each in group)]
        joined = [each for group in near for each in group]
        groups = [group for group in groups if group not in near]
        groups.append([*joined, place])
    return groups


def _is_near(one: Place, other: Place) -> bool:
    return math.hypot(one.x - other.x, one.y - other.y) < 2 * RADIUS


def _label(text: str, x: float, y: float, *, taken: list[_Box], height: float) -> Label | None:
    """Below, above, right or left of its mark, where it covers no mark and no other label, and sticks out nowhere."""
    half, beside = len(text) * LETTER * _LETTER_WIDTH / 2, RADIUS + 6
    choices: tuple[tuple[float, float, Anchor, float], ...] = (
        (x, y + beside + LETTER * 0.8, "middle", x - half),
        (x, y - beside, "middle", x - half),
        (x + beside, y + LETTER * 0.35, "start", x + beside),
        (x - beside, y + LETTER * 0.35, "end", x - beside - 2 * half),
    )
    for at_x, at_y, anchor, left in choices:
        box = _Box(left, at_y - LETTER * 0.8, left + 2 * half, at_y + LETTER * 0.2)
        is_inside = box.left >= 0 and box.top >= 0 and box.right <= WIDTH and box.bottom <= height
        if is_inside and not any(box.meets(each) for each in taken):
            taken.append(box)
            return Label(text, round(at_x, 1), round(at_y, 1), anchor)
    return None
