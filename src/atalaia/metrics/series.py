"""What names one series: a metric name and its labels, with one spelling for each."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping

import msgspec

from atalaia.metrics.errors import BadSeries

MAX_LABELS = 64
MAX_NAME_CHARS = 256
MAX_VALUE_CHARS = 2048

_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*\Z")
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*\Z")


class Series(msgspec.Struct, frozen=True, order=True):
    """A metric name with its labels, sorted by name, none of them empty."""

    name: str
    labels: tuple[tuple[str, str], ...] = ()

    @property
    def text(self) -> str:
        """The canonical spelling: `name{a="1",b="2"}`, with the escapes of text exposition."""
        if not self.labels:
            return self.name
        inner = ",".join(f'{name}="{escape(value)}"' for name, value in self.labels)
        return f"{self.name}{{{inner}}}"

    @property
    def digest(self) -> bytes:
        """16 bytes that stand for the series in a unique index."""
        return hashlib.blake2b(self.text.encode(), digest_size=16).digest()


def escape(value: str) -> str:
    """Escape a label's value for text exposition."""
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def make_series(name: str, labels: Mapping[str, str] | Iterable[tuple[str, str]] = ()) -> Series:
    """Check name and labels and bring them into the one order; an empty value is an absent label.

    Raises:
        BadSeries: a name that is none, a label given twice, or more than the limits allow.
    """
    if len(name) > MAX_NAME_CHARS:
        raise BadSeries(f"metric name is longer than {MAX_NAME_CHARS} characters")
    if not _NAME.match(name):
        raise BadSeries(f"not a metric name: {name[:60]!r}")
    pairs = list(labels.items() if isinstance(labels, Mapping) else labels)
    if len(pairs) > MAX_LABELS:
        raise BadSeries(f"more than {MAX_LABELS} labels on one series")
    kept: dict[str, str] = {}
    for label, value in pairs:
        _check_label(label, value)
        if label in kept:
            raise BadSeries(f"label given twice: {label}")
        kept[label] = value
    return Series(name, tuple(sorted((label, value) for label, value in kept.items() if value)))


def _check_label(label: str, value: str) -> None:
    if len(label) > MAX_NAME_CHARS:
        raise BadSeries(f"label name is longer than {MAX_NAME_CHARS} characters")
    if not _LABEL.match(label):
        raise BadSeries(f"not a label name: {label[:60]!r}")
    if label == "__name__":
        raise BadSeries("the label __name__ is reserved")
    if len(value) > MAX_VALUE_CHARS:
        raise BadSeries(f"value of label {label} is longer than {MAX_VALUE_CHARS} characters")
    if "\x00" in value:
        raise BadSeries(f"value of label {label} holds a NUL")
