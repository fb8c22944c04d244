"""WCAG 2.2 AA on the colour tokens, in both themes: 4.5 for words, 3 for what is not words."""

import re

import pytest

from atalaia.web.static_files import STATIC

TOKENS = (STATIC / "css" / "1-tokens.css").read_text()
PAIR = re.compile(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)")
COLOURS = {name: (light, dark) for name, light, dark in PAIR.findall(TOKENS)}
STATES = ["up", "degraded", "down", "maintenance", "unknown", "paused"]
GROUNDS = ["bg", "surface", "surface-2", "side"]

WORDS = [
    *((word, ground) for word in ("text", "muted") for ground in [*GROUNDS, "surface-3"]),
    *(("accent", ground) for ground in ["bg", "surface", "surface-2", "accent-soft"]),
    ("on-accent", "accent"),
    ("on-accent", "accent-strong"),
    *((state, f"{state}-soft") for state in STATES),
    *((state, "surface") for state in STATES),
    *((state, "bg") for state in STATES),
    *(("text", f"{state}-soft") for state in STATES),
]
SHAPES = [
    *((f"{state}-solid", ground) for state in STATES for ground in ["surface", f"{state}-soft"]),
    ("line-strong", "surface"),
    ("line-strong", "bg"),
    *((f"series-{n}", "surface") for n in range(1, 7)),
]


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("word", "ground"), WORDS)
def test_words_can_be_read(word: str, ground: str, theme: int) -> None:
    assert contrast(COLOURS[word][theme], COLOURS[ground][theme]) >= 4.5


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("shape", "ground"), SHAPES)
def test_shapes_can_be_seen(shape: str, ground: str, theme: int) -> None:
    assert contrast(COLOURS[shape][theme], COLOURS[ground][theme]) >= 3
