"""Logs on disk, beside those on stderr: JSON lines in files that turn over, errors apart as well."""

import json
import logging
import os
from collections.abc import Callable
from datetime import UTC, datetime
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Final

FOLDER: Final = "logs"  # in the data directory
ALL: Final = "atalaia.log"
ERRORS: Final = "errors.log"
# At most 40 MB of all entries and 10 MB of errors.
FILE_BYTES: Final = 5_000_000
_FORMER_OF_ALL: Final = 7
_FORMER_OF_ERRORS: Final = 1
_GRAVE: Final = frozenset({"error", "critical", "exception"})
_TAIL_BYTES: Final = 400_000


class _File(RotatingFileHandler):
    """Readable by its owner alone. A disk that is full loses entries here, and nothing else."""

    def _open(self) -> TextIOWrapper:
        handle = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        return os.fdopen(handle, "a", encoding="utf-8", errors="replace")

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the standard library's name
        """Say nothing: the entry stands on stderr, and to log here would call this again."""


class LogFiles:
    """Any thread may write. `file_bytes` is when a file turns over."""

    def __init__(self, folder: Path, *, file_bytes: int = FILE_BYTES) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._all = _File(folder / ALL, maxBytes=file_bytes, backupCount=_FORMER_OF_ALL, delay=True)
        self._errors = _File(folder / ERRORS, maxBytes=file_bytes, backupCount=_FORMER_OF_ERRORS, delay=True)

    def write(self, line: str, *, level: str) -> None:
        record = logging.LogRecord("", logging.INFO, "", 0, line, None, None)
        self._all.handle(record)
        if level in _GRAVE:
            self._errors.handle(record)

    def close(self) -> None:
        self._all.close()
        self._errors.close()


class LibraryEntries(logging.Handler):
    """What libraries log by themselves, as JSON lines like ours."""

    def __init__(self, files: LogFiles, *, scrub: Callable[[str], str]) -> None:
        super().__init__()
        self._files = files
        self._scrub = scrub
        self.setFormatter(logging.Formatter("%(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        level = record.levelname.lower()
        at = datetime.fromtimestamp(record.created, UTC).isoformat().replace("+00:00", "Z")
        entry = {"event": self._scrub(self.format(record)), "logger": record.name, "level": level, "timestamp": at}
        self._files.write(json.dumps(entry), level=level)


def last_lines(folder: Path, count: int) -> list[str]:
    """The last entries of all, the newest last; none where nothing was logged."""
    found: list[str] = []
    for name in (ALL, f"{ALL}.1"):
        found = [*_tail(folder / name), *found]
        if len(found) >= count:
            break
    return found[-count:]


def _tail(path: Path) -> list[str]:
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            start = file.seek(max(0, size - _TAIL_BYTES))
            lines = file.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return []
    return lines[1:] if start else lines  # the first one was cut
