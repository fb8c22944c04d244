"""The files of a spool: its lock, its state, its segments.

A segment is text, each line `<crc32> <seq> <record as JSON>`, the checksum being of what follows it. A line that does not
match its checksum was cut by a crash or damaged later; it is skipped and counted. The spool id that the records were
numbered under is in the file's name, where damage to the content can't part them.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

_PREFIX, _SUFFIX = "records-", ".seg"


class SpoolInUse(Exception):
    """Two agents on one spool would give one number to two records."""


class State(NamedTuple):
    """`reserved_to`: no record has a higher number, whatever was lost with a crash."""

    id: str
    reserved_to: int = 0
    dropped_total: int = 0
    rejected_total: int = 0
    torn_total: int = 0


class Line(NamedTuple):
    seq: int
    record: bytes
    end: int
    """Where the next line begins."""


def lock(directory: Path) -> int:
    """A descriptor that holds the lock as long as it is open. Raises SpoolInUse, OSError."""
    fd = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(fd, 20, 0).decode("ascii", "replace").strip()
        os.close(fd)
        raise SpoolInUse(f"the spool {directory} is used by another agent, process {holder or 'unknown'}") from None
    # The text is for people; a full disk must not keep the agent from starting.
    try:
        os.ftruncate(fd, 0)
        os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
    except OSError:
        pass
    return fd


def load_state(directory: Path) -> State | None:
    """None when there is none or it is damaged."""
    try:
        checksum, _, text = (directory / "spool.json").read_bytes().partition(b" ")
        if int(checksum, 16) != crc32(text):
            return None
        return State(**json.loads(text))
    except (OSError, ValueError, TypeError):
        return None


def save_state(directory: Path, state: State) -> None:
    text = json.dumps(state._asdict()).encode()
    replace_durably(directory / "spool.json", b"%08x %s" % (crc32(text), text))


def replace_durably(path: Path, content: bytes) -> None:
    """The old content or the new, never something between, and the new once this returns."""
    draft = path.with_name(path.name + ".new")
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.write(fd, content)
        os.fsync(fd)
    finally:
        os.close(fd)
    draft.rename(path)
    sync_directory(path.parent)


def sync_directory(directory: Path) -> None:
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def encode_line(seq: int, record: bytes) -> bytes:
    text = b"%d %s" % (seq, record)
    return b"%08x %s\n" % (crc32(text), text)


def decode_line(line: bytes) -> tuple[int, bytes] | None:
    """Number and record; None when the line is damaged."""
    checksum, _, text = line.partition(b" ")
    seq, _, record = text.partition(b" ")
    try:
        if len(checksum) != 8 or int(checksum, 16) != crc32(text):  # noqa: PLR2004 - 32 bits in hex
            return None
        return int(seq), record
    except ValueError:
        return None


def good_lines(data: bytes, offset: int) -> Iterator[Line | int]:
    """The complete lines of `data`, which begins at `offset`; for a damaged one, only where the next begins."""
    start = 0
    while (end := data.find(b"\n", start)) >= 0:
        decoded = decode_line(data[start:end])
        start = end + 1
        yield Line(*decoded, offset + start) if decoded is not None else offset + start


class SegmentName(NamedTuple):
    """Segments are read in the order of their numbers."""

    number: int
    spool_id: str

    def in_directory(self, directory: Path) -> Path:
        return directory / f"{_PREFIX}{self.number:012d}-{self.spool_id}{_SUFFIX}"


def segment_names(directory: Path) -> list[SegmentName]:
    found: list[SegmentName] = []
    for path in directory.glob(f"{_PREFIX}*{_SUFFIX}"):
        number, _, spool_id = path.name.removeprefix(_PREFIX).removesuffix(_SUFFIX).partition("-")
        if number.isdigit() and spool_id:
            found.append(SegmentName(int(number), spool_id))
    return sorted(found)
