"""The log files searched from the newest entry back, by position: no file is read whole, and a turn of the files loses nothing."""

import os
import zlib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple

import msgspec

from atalaia.core.log_files import ALL, ERRORS
from atalaia.core.redaction import scrub

# What one search reads at most: some 25,000 entries, a tenth of a second.
BUDGET_BYTES: Final = 5_000_000
LEVELS: Final = {"debug": 10, "info": 20, "warning": 30, "error": 40, "exception": 40, "critical": 50}
_BLOCK_BYTES: Final = 65_536
_MOST_FORMER: Final = 20
# Threads log side by side: an entry may stand this far from where its time belongs.
_DISORDER: Final = timedelta(seconds=2)
_LINES_FOR_A_TIME: Final = 50
_OF_EVERY_ENTRY: Final = frozenset({"timestamp", "level", "event", "request_id", "exception", "logger"})


class Place(NamedTuple):
    """Of an entry, whatever its file is called by now. `check` is of its line, since a new file may get an old one's inode."""

    inode: int
    offset: int
    check: int


@dataclass(frozen=True, slots=True)
class LogWish:
    """`level` and graver ones; `text` anywhere in the entry, in whatever case; `until` is not included."""

    level: str = ""
    text: str = ""
    request_id: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class LogEntry:
    """`event` is the whole line where it is no entry of ours, and has no other field then."""

    at: datetime | None
    level: str
    event: str
    logger: str
    request_id: str
    exception: str
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FoundEntries:
    """Newest first. `next` is where to go on; `reached_at` how far back it looked, where the budget ended it."""

    entries: list[LogEntry]
    next: Place | None = None
    reached_at: datetime | None = None


def search_log(
    folder: Path, wish: LogWish, *, limit: int, after: Place | None = None, budget_bytes: int = BUDGET_BYTES
) -> FoundEntries:
    """Entries before the one at `after`, which is the last that was seen; none where that one has been dropped meanwhile."""
    found: list[LogEntry] = []
    place, read_bytes = after, 0
    # Errors stand apart as well: there they reach further back.
    name = ERRORS if LEVELS.get(wish.level, 0) >= LEVELS["error"] else ALL
    for place, line in _lines(folder, name, after=after, until=wish.until):
        read_bytes += len(line)
        entry = _entry_of(line)
        if wish.since is not None and entry.at is not None and entry.at < wish.since - _DISORDER:
            return FoundEntries(found)
        if _is_wanted(entry, line, wish) and (shown := _shown(line, wish)) is not None:
            found.append(shown)
            if len(found) == limit:
                return FoundEntries(found, place)
        if read_bytes >= budget_bytes:
            return FoundEntries(found, place, entry.at)
    return FoundEntries(found)


def _shown(line: bytes, wish: LogWish) -> LogEntry | None:
    """Secrets that became known after it was written are starred out too, and are nothing to search for."""
    scrubbed = scrub(line.decode("utf-8", "replace")).encode()
    entry = _entry_of(scrubbed)
    return entry if _is_wanted(entry, scrubbed, wish) else None


def _is_wanted(entry: LogEntry, line: bytes, wish: LogWish) -> bool:
    if wish.level and LEVELS.get(entry.level, 0) < LEVELS.get(wish.level, 0):
        return False
    if wish.request_id and entry.request_id != wish.request_id:
        return False
    if entry.at is not None and (
        (wish.since is not None and entry.at < wish.since) or (wish.until is not None and entry.at >= wish.until)
    ):
        return False
    return not wish.text or wish.text.casefold() in _readable(line).casefold()


def _readable(line: bytes) -> str:
    """As people write it: the file has other letters than ASCII, and quotes of a trace escaped."""
    try:
        value = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return line.decode("utf-8", "replace")
    if not isinstance(value, dict):
        return str(value)
    return "\n".join(f"{name}={said}" for name, said in value.items())


def _entry_of(line: bytes) -> LogEntry:
    try:
        value = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        value = None
    if not isinstance(value, dict):
        return LogEntry(None, "", line.decode("utf-8", "replace"), "", "", "", {})
    said = {name: str(value.get(name) or "") for name in _OF_EVERY_ENTRY}
    return LogEntry(
        at=_instant(said["timestamp"]),
        level=said["level"],
        event=said["event"],
        logger=said["logger"],
        request_id=said["request_id"],
        exception=said["exception"],
        fields={name: each for name, each in value.items() if name not in _OF_EVERY_ENTRY},
    )


def _instant(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


# -- lines, from the last one back


def _lines(folder: Path, name: str, *, after: Place | None, until: datetime | None) -> Iterator[tuple[Place, bytes]]:
    with ExitStack() as stack:
        is_found = after is None
        for inode, file in _files(folder, name, stack):
            end = _end(file)
            if not is_found and after is not None:
                if inode != after.inode or not _is_there(file, after):
                    continue
                is_found, end = True, after.offset
            elif until is not None:
                end = _end_before(file, until + _DISORDER, end=end)
            for offset, line in _lines_back(file, end):
                yield Place(inode, offset, zlib.crc32(line)), line


def _files(folder: Path, name: str, stack: ExitStack) -> list[tuple[int, BinaryIO]]:
    """All opened before the first is read, the newest first; one that is renamed on the way is not taken twice."""
    opened: dict[int, BinaryIO] = {}
    for number in range(_MOST_FORMER):
        path = folder / (f"{name}.{number}" if number else name)
        try:
            file = stack.enter_context(path.open("rb"))
        except OSError:
            continue
        opened.setdefault(os.fstat(file.fileno()).st_ino, file)
    return list(opened.items())


def _end(file: BinaryIO) -> int:
    return file.seek(0, os.SEEK_END)


def _is_there(file: BinaryIO, place: Place) -> bool:
    file.seek(place.offset)
    return zlib.crc32(file.readline().rstrip(b"\n")) == place.check


def _lines_back(file: BinaryIO, end: int) -> Iterator[tuple[int, bytes]]:
    """(where it begins, the line) of what stands before `end`, the last one first; empty ones are left out."""
    rest = b""
    while end > 0:
        start = max(0, end - _BLOCK_BYTES)
        file.seek(start)
        rest, *lines = (file.read(end - start) + rest).split(b"\n")
        offset = start + len(rest) + 1
        placed: list[tuple[int, bytes]] = []
        for line in lines:
            placed.append((offset, line))
            offset += len(line) + 1
        yield from ((at, line) for at, line in reversed(placed) if line)
        end = start
    if rest:
        yield 0, rest


def _end_before(file: BinaryIO, at: datetime, *, end: int) -> int:
    """A position from which on everything is later than `at`, a block near; entries stand in the order of their times."""
    low, high = 0, end
    while high - low > _BLOCK_BYTES:
        middle = (low + high) // 2
        seen_at = _time_after(file, middle)
        if seen_at is not None and seen_at <= at:
            low = middle
        else:
            high = middle
    file.seek(high)
    file.readline()
    return min(file.tell(), end)


def _time_after(file: BinaryIO, position: int) -> datetime | None:
    """Of the first entry that begins after `position`; None also where there is none with a time."""
    file.seek(position)
    file.readline()
    for _ in range(_LINES_FOR_A_TIME):
        line = file.readline()
        if not line or (at := _entry_of(line).at) is not None:
            return at if line else None
    return None
