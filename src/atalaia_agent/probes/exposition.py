r"""The text format of Prometheus. Pure.

Source: prometheus.io, exposition formats, 0.0.4: `name{label="value"} number [ms]`; `\\`, `\"` and `\n` in values.
"""

from __future__ import annotations

import re

from atalaia_agent.outcome import Sample

WrongLine = tuple[int, str]

_LABELS = r'\{((?:[^"}]|"(?:[^"\\]|\\.)*")*)\}'
_LINE = re.compile(rf"([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(?:{_LABELS})?\s*([^\s_]+)(?:\s+-?\d+)?\s*(?:#.*)?")
_LABEL = re.compile(r'\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(?:,|$)')
_ESCAPE = re.compile(r"\\(.)")
_ESCAPED = {"n": "\n", "\\": "\\", '"': '"'}


def parse_exposition(text: str) -> tuple[list[Sample], list[WrongLine]]:
    """Samples, and the lines (from 1) that are none, with why."""
    samples: list[Sample] = []
    wrong: list[WrongLine] = []
    for number, line in enumerate(text.split("\n"), 1):
        plain = line.strip()
        if not plain or plain.startswith("#"):
            continue
        try:
            samples.append(_parse_line(plain))
        except ValueError as failure:
            wrong.append((number, str(failure)))
    return samples, wrong


def _parse_line(line: str) -> Sample:
    match = _LINE.fullmatch(line)
    if match is None:
        raise ValueError(f"not a sample: {line[:80]!r}")
    labels = _labels(match[2]) if match[2] else {}
    return match[1], labels, float(match[3])


def _labels(text: str) -> dict[str, str]:
    labels: dict[str, str] = {}
    at = 0
    while at < len(text.rstrip()):
        match = _LABEL.match(text, at)
        if match is None:
            raise ValueError(f"not a label: {text[at : at + 80]!r}")
        value = match[2]
        labels[match[1]] = _ESCAPE.sub(_unescape, value) if "\\" in value else value
        at = match.end()
    return labels


def _unescape(match: re.Match[str]) -> str:
    return _ESCAPED.get(match[1], match[0])
