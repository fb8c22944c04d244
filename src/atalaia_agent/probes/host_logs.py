"""How many new lines of a log match a pattern."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, NamedTuple

from atalaia_agent import options
from atalaia_agent.failures import BadOption
from atalaia_agent.outcome import Outcome
from atalaia_agent.probes import Context

_MAX_BYTES = 8_000_000
_READ_BYTES = 262_144
_MAX_LINE_BYTES = 4_096


class _Place(NamedTuple):
    inode: int
    offset: int


def look_at_logs(logs: object, context: Context, found: Outcome) -> list[str]:
    """Counts from the first look on; a rotated or emptied file is read from its beginning."""
    logs = [logs] if isinstance(logs, dict) else logs
    if not isinstance(logs, list) or not all(isinstance(item, dict) for item in logs):
        raise BadOption("logs", "must be a list of {path, pattern}")
    return [trouble for item in logs if (trouble := _look(item, context, found))]


def _look(item: dict[str, Any], context: Context, found: Outcome) -> str:
    path, text = Path(options.text(item, "path")), options.text(item, "pattern")
    if not path.is_absolute() or not text:
        raise BadOption("logs", "each needs an absolute path and a pattern")
    try:
        pattern = re.compile(text.encode())
    except re.error as failure:
        raise BadOption("logs", f"{text!r} is not a pattern: {failure}") from failure
    name = options.text(item, "name") or path.name
    try:
        count = _count(path, pattern, context=context, key=f"log {path} {text}")
    except OSError as failure:
        found.data.setdefault("logs", {})[name] = None
        return f"log {path}: {failure.strerror}"
    found.data.setdefault("logs", {})[name] = count
    found.samples.append(("host_log_matches", {"log": name}, float(count)))
    most = _most(item.get("max"))
    return f"{count} new lines of {path} match {text!r}" if 0 <= most < count else ""


def _most(value: object) -> float:
    """A form gives text. Below 0: no limit."""
    try:
        return -1.0 if value in (None, "") else float(str(value))
    except ValueError:
        raise BadOption("logs", f"max: {value!r} is not a number") from None


def _count(path: Path, pattern: re.Pattern[bytes], *, context: Context, key: str) -> int:
    with path.open("rb") as log:
        facts = os.fstat(log.fileno())
        place = context.memory.get(key)
        if place is None:
            place = _Place(facts.st_ino, facts.st_size)
        elif place.inode != facts.st_ino or place.offset > facts.st_size:
            place = _Place(facts.st_ino, 0)
        # After a flood the newest part counts; the whole would hold up the agent.
        start = max(place.offset, facts.st_size - _MAX_BYTES)
        log.seek(start)
        count, end = _count_lines(log.fileno(), pattern, offset=start)
    context.memory[key] = _Place(facts.st_ino, end)
    return count


def _count_lines(fd: int, pattern: re.Pattern[bytes], *, offset: int) -> tuple[int, int]:
    """Matches among the whole lines from `offset`, and where they end: a line that is still being written comes next time."""
    count = 0
    rest = b""
    while data := os.pread(fd, _READ_BYTES, offset + len(rest)):
        *lines, tail = (rest + data).split(b"\n")
        count += sum(1 for line in lines if pattern.search(line[:_MAX_LINE_BYTES]))
        offset += len(rest) + len(data) - len(tail)
        rest = tail
        if len(rest) > _READ_BYTES:
            offset, rest = offset + len(rest), b""
    return count, offset
