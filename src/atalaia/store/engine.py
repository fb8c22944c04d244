"""Engines: SQLite in the data directory, or PostgreSQL. Both synchronous, used from threads."""

import sqlite3
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from atalaia.core.errors import AtalaiaError, StoreFull, StoreUnavailable

BUSY_TIMEOUT_MS = 10_000
# A reader looks at little, and there are several; the writer meets the same pages again and again.
READ_CACHE_KIB = 1_024
WRITE_CACHE_KIB = 16_384
READERS = 4
POOL_SIZE = 12

BEGIN_WRITING = "BEGIN IMMEDIATE"

# A server that is gone without a word (a host that lost its power, a line that was cut) is missed after half a minute, not
# after the kernel's quarter of an hour. https://www.postgresql.org/docs/current/libpq-connect.html
POSTGRESQL_LINE: dict[str, Any] = {
    "connect_timeout": 5,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}

# https://www.sqlite.org/pragma.html
_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}",
    "PRAGMA foreign_keys=ON",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA journal_size_limit=67108864",
)


def sqlite_engine(path: str, *, is_writer: bool = False) -> Engine:
    """An engine on one SQLite file; connections are kept, since opening one costs more than most questions."""
    cache_kib = WRITE_CACHE_KIB if is_writer else READ_CACHE_KIB
    begin = BEGIN_WRITING if is_writer else "BEGIN"
    engine = create_engine(
        f"sqlite:///{path}",
        poolclass=QueuePool,
        pool_size=READERS,
        max_overflow=2 * READERS,
        connect_args={"check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, so that DDL is part of a transaction too
        for pragma in (*_PRAGMAS, f"PRAGMA cache_size=-{cache_kib}"):
            connection.execute(pragma)

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        driver = connection.connection.driver_connection
        if not driver.in_transaction:  # the writer has begun already
            driver.execute(begin)  # SQLAlchemy's own way to it costs as much as a commit

    return engine


def postgresql_engine(url: str) -> Engine:
    """A pooled engine; `url` is as users write it (postgresql://…), whichever driver it names."""
    _, _, rest = url.partition("://")
    return create_engine(
        f"postgresql+psycopg://{rest}",
        pool_size=POOL_SIZE,
        max_overflow=4,
        pool_pre_ping=True,
        isolation_level="READ COMMITTED",
        connect_args={**POSTGRESQL_LINE, "application_name": "atalaia"},
    )


def is_postgresql(url: str | None) -> bool:
    return url is not None and url.partition("://")[0].partition("+")[0] in {"postgresql", "postgres"}


_FULL_SQLSTATES = {"53100", "54000"}  # disk_full, program_limit_exceeded
_UNAVAILABLE_CLASSES = ("08", "57")  # connection exception, operator intervention


def translate_error(error: BaseException) -> AtalaiaError | None:
    """What a driver's error means to the caller, where it is about the store's state and not about the unit."""
    original = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    if isinstance(original, sqlite3.OperationalError):
        text = str(original)
        if "full" in text or "disk I/O error" in text:
            return StoreFull(
                "the disk of the store is full", hint="Free space on the hub's disk; writing goes on by itself."
            )
        if "locked" in text or "unable to open" in text:
            return StoreUnavailable("the store is busy or can't be opened")
    state = _sqlstate(original)
    if state is not None:
        if state in _FULL_SQLSTATES:
            return StoreFull("the disk of the database is full", hint="Free space there; writing goes on by itself.")
        if state[:2] in _UNAVAILABLE_CLASSES or (not state and type(original).__name__ == "OperationalError"):
            return StoreUnavailable("the database can't be reached", hint="Is it running? atalaia doctor tells more.")
    return None


def _sqlstate(error: BaseException) -> str | None:
    """Of an error of psycopg, empty where the server said none; None for others. The driver is loaded only with PostgreSQL."""
    if not type(error).__module__.startswith("psycopg"):
        return None
    return getattr(error, "sqlstate", None) or ""


def is_refused_value(error: BaseException) -> bool:
    """Whether it is a value that the database can't keep: NUL or half a character in a text, a number of more than 64 bits."""
    original = getattr(error, "orig", None) or error
    if isinstance(original, UnicodeEncodeError):
        return "surrogates" in original.reason
    if isinstance(original, OverflowError):
        return "SQLite INTEGER" in str(original)
    return _sqlstate(original) is not None and any(kind.__name__ == "DataError" for kind in type(original).__mro__)


def is_retryable(error: BaseException) -> bool:
    """Whether the unit may simply be run again: a deadlock or a serialization failure."""
    return _sqlstate(getattr(error, "orig", error)) in {"40001", "40P01"}
