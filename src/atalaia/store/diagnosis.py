"""What can be wrong with the place where a hub keeps its data, each with what to do."""

import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from sqlalchemy import Engine, text

from atalaia.core.errors import AtalaiaError
from atalaia.store.directory import DirectoryLock
from atalaia.store.encryption import FILE_NAME as KEY_NAME
from atalaia.store.encryption import VARIABLE, read_key_ids
from atalaia.store.engine import translate_error
from atalaia.store.migrations import pending
from atalaia.store.opening import FILE_NAME, MIGRATIONS, open_store

FEW_BYTES = 1 << 30
NO_BYTES = 100 << 20
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class Verdict(StrEnum):
    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    subject: str
    verdict: Verdict
    message: str
    advice: str | None = None


def ok(subject: str, message: str) -> Finding:
    return Finding(subject, Verdict.OK, message)


def warning(subject: str, message: str, advice: str) -> Finding:
    return Finding(subject, Verdict.WARNING, message, advice)


def error(subject: str, message: str, advice: str) -> Finding:
    return Finding(subject, Verdict.ERROR, message, advice)


def examine_directory(data_dir: Path) -> Iterator[Finding]:
    if not data_dir.is_dir():
        yield error(
            "directory", f"{data_dir} is not there", "Name the right one with --data-dir; `atalaia serve` makes it."
        )
        return
    if not os.access(data_dir, os.W_OK | os.X_OK):
        yield error(
            "directory", f"{data_dir} can't be written to by this user", f"Run as its owner, or chown {data_dir}."
        )
    elif data_dir.stat().st_mode & _OTHERS:
        yield warning("directory", f"{data_dir} is open to other users", f"chmod 700 {data_dir}")
    else:
        yield ok("directory", f"{data_dir} is ours alone")
    holder = DirectoryLock(data_dir).holder_pid
    yield ok("hub", f"a hub runs here: process {holder}" if holder else "no hub runs here now")


def examine_disk(data_dir: Path) -> Iterator[Finding]:
    place = next(path for path in (data_dir, *data_dir.resolve().parents) if path.exists())
    free = shutil.disk_usage(place).free
    told = f"{free / (1 << 30):,.1f} GiB free"
    if free < NO_BYTES:
        yield error("disk", told, "Free space now: the hub refuses to write when there is none.")
    elif free < FEW_BYTES:
        yield warning("disk", told, "Free some space, or shorten the retention of samples on the settings page.")
    else:
        yield ok("disk", told)


def examine_key(data_dir: Path) -> Iterator[Finding]:
    path = data_dir / KEY_NAME
    try:
        keys = read_key_ids(data_dir)
    except (AtalaiaError, OSError, UnicodeDecodeError) as problem:
        yield error("key", str(problem), "Put the hub's own key back; without it stored secrets can't be opened.")
        return
    if os.environ.get(VARIABLE):
        yield ok("key", f"from {VARIABLE}")
    elif not keys:
        yield ok("key", f"{KEY_NAME} is made at the first start")
    elif path.stat().st_mode & _OTHERS:
        yield error("key", f"{path} can be read by other users", f"chmod 600 {path}")
    else:
        yield ok("key", f"{path} is readable by its owner alone")


def examine_database(data_dir: Path, *, database_url: str | None, slices: Sequence[Path]) -> Iterator[Finding]:
    if not database_url and not (data_dir / FILE_NAME).exists():
        yield ok("database", "made at the first start")
        return
    store = open_store(data_dir, database_url=database_url)
    try:
        waiting = pending(store.reader_engine, [MIGRATIONS, *slices])
        damage = _damage(store.reader_engine) if store.dialect == "sqlite" else None
    except Exception as problem:  # noqa: BLE001 - whatever it is, it is what the doctor was called for
        cause = translate_error(problem) or problem
        hint = getattr(cause, "hint", None)
        yield error("database", str(cause), hint or "Is the address right, and the database running?")
        return
    finally:
        store.close()
    if damage:
        yield error(
            "database", f"damaged: {damage}", "Stop the hub and restore the last whole backup: atalaia restore --help"
        )
    elif waiting:
        yield warning(
            "database", f"{len(waiting)} migrations are pending", "They run at the next start, or now: atalaia migrate"
        )
    else:
        yield ok(
            "database",
            f"{store.dialect}, of this version, whole" if not database_url else f"{store.dialect}, of this version",
        )


def _damage(engine: Engine) -> str | None:
    with engine.connect() as connection:
        found = connection.execute(text("PRAGMA quick_check(1)")).scalar()
    return None if found == "ok" else str(found)
