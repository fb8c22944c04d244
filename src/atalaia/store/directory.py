"""The data directory: made with the right modes, and held by one hub at a time."""

import fcntl
import os
from pathlib import Path
from typing import IO

from atalaia.core.errors import ConfigError

LOCK_NAME = "hub.lock"


class DirectoryLock:
    """Held as long as the process lives; the file says which process that is."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / LOCK_NAME
        self._file: IO[str] | None = None

    def acquire(self) -> None:
        """Take the lock.

        Raises:
            ConfigError: another hub has it; the message names its process.
        """
        file = self._path.open("a+", encoding="ascii")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = _holder(file)
            file.close()
            raise ConfigError(
                f"another hub is running on {self._path.parent} (process {holder})",
                code="directory_in_use",
                hint="Stop that one first, or give this one a --data-dir of its own.",
            ) from error
        file.seek(0)
        file.truncate()
        file.write(f"{os.getpid()}\n")
        file.flush()
        self._file = file

    def release(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    @property
    def holder_pid(self) -> int | None:
        """The process that holds the lock now, if one does."""
        if not self._path.exists():
            return None
        with self._path.open("r+", encoding="ascii") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                holder = _holder(file)
                return int(holder) if holder.isdigit() else None
            return None


def _holder(file: IO[str]) -> str:
    file.seek(0)
    return file.read().strip() or "unknown"


def prepare_data_dir(path: Path) -> Path:
    """Make the directory if need be (mode 0700).

    Raises:
        ConfigError: it can't be made or written to.
    """
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ConfigError(f"can't make the data directory {path}: {error.strerror}") from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise ConfigError(f"the data directory {path} can't be written to by this user")
    return path
