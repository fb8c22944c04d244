"""Which series have a label's value: each (metric, label, value) is a number, kept with the series that have it.

So a question for `host=sp-1` reads the series of that host, and not all of its metric. Two texts may share a number; what
is found by it is compared with the question all the same.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import blake2b
from typing import NamedTuple

from atalaia.metrics.selectors import Selector
from atalaia.metrics.series import Series

MAX_GROUPS = 8  # more of them leave nothing to look for
# Of these characters a regular expression is nothing but themselves.
_LITERALS = re.compile(r"[A-Za-z0-9_:/@ -]+(?:\|[A-Za-z0-9_:/@ -]+)*\Z")


class Lookup(NamedTuple):
    """Numbers, of each group of which a series must have one; and whether that is all that is asked for."""

    groups: list[list[int]]
    is_whole: bool


def posting_key(metric: str, label: str, value: str) -> int:
    """64 bits, signed, as both engines keep them. A stored form: to change it takes a migration."""
    text = f"{metric}\0{label}\0{value}".encode()
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big", signed=True)


def posting_keys(series: Series) -> list[int]:
    return [posting_key(series.name, label, value) for label, value in series.labels]


def make_lookup(metric: str, selectors: Sequence[Selector]) -> Lookup:
    """What of a question can be looked up: equal values, and regular expressions that name some values."""
    groups: list[list[int]] = []
    for selector in selectors:
        values: list[str] = []
        if selector.operator == "=" and selector.value:
            values = [selector.value]
        elif selector.operator == "=~" and _LITERALS.match(selector.value):
            values = selector.value.split("|")
        if values and len(groups) < MAX_GROUPS:
            groups.append([posting_key(metric, selector.label, value) for value in values])
    return Lookup(groups, len(groups) == len(selectors))
