"""One line of text exposition 0.0.4, read with care: escapes, blanks in label values, NaN, metadata.

Source: https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
"""

from __future__ import annotations

import re
from typing import NamedTuple

from atalaia.metrics.errors import BadLine, BadSeries
from atalaia.metrics.series import Series, make_series

MAX_LINE_BYTES = 64 * 1024
# The year 9999; what is later than this is a mistake of unit (microseconds, nanoseconds).
MAX_AT_MS = 253_402_300_799_999

_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_PAIR = re.compile(r'\s*([^\s="{},]+)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(,|(?=\}))')
_ESCAPED = re.compile(r"\\(.)")
_NUMBER = re.compile(rb"[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|inf|infinity|nan)\Z", re.IGNORECASE)
_WHOLE = re.compile(rb"-?\d{1,19}\Z")
_METADATA = re.compile(r"#\s+(HELP|TYPE)\s+([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\s+(.*))?\Z")
_TYPES = frozenset({"counter", "gauge", "histogram", "summary", "untyped", "unknown"})


class Line(NamedTuple):
    """A sample as it stands on a line; `key` is the series as the sender spells it."""

    key: bytes
    series: Series
    value: float
    at_ms: int | None


class Metadata(NamedTuple):
    """What a HELP or a TYPE line says."""

    metric: str
    field: str
    text: str


def read_value(token: bytes) -> float:
    if not _NUMBER.match(token):
        raise BadLine(f"value is not a number: {_shown(token)}")
    return float(token)


def read_at_ms(token: bytes) -> int:
    if not _WHOLE.match(token):
        raise BadLine(f"timestamp is not a whole number of milliseconds: {_shown(token)}")
    at_ms = int(token)
    if not 0 <= at_ms <= MAX_AT_MS:
        raise BadLine(f"timestamp is out of range (milliseconds are expected): {_shown(token)}")
    return at_ms


def read_line(raw: bytes) -> Line:
    """Read a sample's line (without its line end).

    Raises:
        BadLine: with the reason, in words for the sender.
    """
    if len(raw) > MAX_LINE_BYTES:
        raise BadLine(f"line is longer than {MAX_LINE_BYTES} bytes")
    try:
        text = raw.decode().strip(" \t")
    except UnicodeDecodeError:
        raise BadLine("line is not UTF-8") from None
    name = _NAME.match(text)
    if name is None:
        raise BadLine(f"line does not begin with a metric name: {_shown(raw)}")
    pairs, end = _read_labels(text, name.end())
    fields = text[end:].encode().split()
    if not fields or len(fields) > 2:  # noqa: PLR2004 a value, and perhaps a timestamp
        raise BadLine("a value and at most a timestamp are expected after the series")
    try:
        series = make_series(name[0], pairs)
    except BadSeries as error:
        raise BadLine(error.message) from None
    at_ms = read_at_ms(fields[1]) if len(fields) > 1 else None
    return Line(text[:end].rstrip().encode(), series, read_value(fields[0]), at_ms)


def _read_labels(text: str, start: int) -> tuple[list[tuple[str, str]], int]:
    at = start
    while at < len(text) and text[at] in " \t":
        at += 1
    if at == len(text) or text[at] != "{":
        if at == start and at < len(text):
            raise BadLine(f"unexpected {text[at]!r} in the metric name")
        return [], start
    at += 1
    pairs: list[tuple[str, str]] = []
    while True:
        pair = _PAIR.match(text, at)
        if pair is None:
            break
        pairs.append((pair[1], _unescape(pair[2])))
        at = pair.end()
    closing = re.compile(r"\s*\}").match(text, at)
    if closing is None:
        raise BadLine('labels are not closed, or not of the form name="value"')
    return pairs, closing.end()


def _unescape(value: str) -> str:
    if "\\" not in value:
        return value
    return _ESCAPED.sub(lambda m: {"n": "\n", "\\": "\\", '"': '"'}.get(m[1], m[0]), value)


def read_comment(raw: bytes) -> Metadata | None:
    """HELP and TYPE lines; every other comment says nothing."""
    match = _METADATA.match(raw.decode(errors="replace").strip())
    if match is None:
        return None
    kind, metric, text = match[1], match[2], match[3] or ""
    if kind == "TYPE" and text not in _TYPES:
        return None
    if kind == "HELP":
        text = _ESCAPED.sub(lambda m: {"n": "\n", "\\": "\\"}.get(m[1], m[0]), text)[:1000]
    return Metadata(metric, kind.lower(), text)


def _shown(token: bytes) -> str:
    return repr(token[:40].decode(errors="replace"))
