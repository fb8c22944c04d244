"""One file of records, written at its end and read from where the hub has confirmed up to."""

from __future__ import annotations

import os
from pathlib import Path

from atalaia_agent.spool_files import Line, decode_line, encode_line, good_lines, sync_directory


class Segment:
    """`taken` records, ending at `taken_offset`, are confirmed by the hub (or set aside)."""

    def __init__(self, path: Path, spool_id: str, *, fd: int) -> None:
        self.path = path
        self.spool_id = spool_id
        self.count = 0
        self.size = 0
        self.taken = 0
        self.taken_offset = 0
        self.damaged = 0
        self._fd = fd
        self._is_dirty = True

    @classmethod
    def create(cls, path: Path, spool_id: str) -> Segment:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            sync_directory(path.parent)
        except OSError:
            os.close(fd)
            path.unlink(missing_ok=True)
            raise
        return cls(path, spool_id, fd=fd)

    @classmethod
    def recover(cls, path: Path, spool_id: str) -> Segment:
        """Open what an earlier process left; a torn end is cut off. Memory stays below two of its lines."""
        fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
        segment = cls(path, spool_id, fd=fd)
        good_end = end = 0
        with path.open("rb") as lines:
            for line in lines:
                end += len(line)
                if not line.endswith(b"\n") or decode_line(line[:-1]) is None:
                    segment.damaged += 1
                else:
                    segment.count += 1
                    good_end = end
        if good_end < end:
            os.ftruncate(fd, good_end)
        segment.size = good_end
        return segment

    @property
    def waiting(self) -> int:
        return self.count - self.taken

    @property
    def waiting_bytes(self) -> int:
        return self.size - self.taken_offset

    def append(self, seq: int, record: bytes) -> None:
        line = encode_line(seq, record)
        self._is_dirty = True
        _write_whole(self._fd, line, offset=self.size)
        self.size += len(line)
        self.count += 1

    def read(self, max_records: int, max_bytes: int) -> tuple[list[Line], int]:
        """Records from the confirmed end on, at most so many, and where they end."""
        data = os.pread(self._fd, min(max_bytes, self.size - self.taken_offset), self.taken_offset)
        lines: list[Line] = []
        end = self.taken_offset
        for item in good_lines(data, self.taken_offset):
            if isinstance(item, Line):
                if len(lines) >= max_records:
                    break
                lines.append(item)
                end = item.end
            else:
                end = item
        return lines, end

    def take(self, count: int, end: int) -> None:
        self.taken += count
        self.taken_offset = end

    def sync(self) -> None:
        if self._is_dirty:
            os.fdatasync(self._fd)
            self._is_dirty = False

    def close(self) -> None:
        os.close(self._fd)

    def remove(self) -> None:
        self.close()
        self.path.unlink(missing_ok=True)


def _write_whole(fd: int, data: bytes, *, offset: int) -> None:
    """All of it or nothing: a full disk takes the first part of a line before it says no."""
    try:
        written = os.write(fd, data)
        while written < len(data):
            written += os.write(fd, data[written:])
    except OSError:
        os.ftruncate(fd, offset)
        raise
