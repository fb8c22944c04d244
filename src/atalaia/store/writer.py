"""Group commit: one thread writes, many units to a commit.

1. Take all work that waits, up to MAX_GROUP.
2. BEGIN (IMMEDIATE on SQLite); run each unit in a savepoint, all payloads of one merged kind as one unit. A group that is
   one unit, or nothing but merged ones, is first tried without savepoints: where one of it raises, it all goes back and is
   run again with them.
3. A unit that raises is rolled back alone, and its caller gets the error; of a merged unit, each payload is run alone.
4. COMMIT (durable: synchronous=FULL). Only then are the callers answered, and what was published goes out.
5. A commit that fails fails every unit of the group: nobody was answered, nothing is lost.

Source: docs/decisions/0002-group-commit.md
"""

import threading
from collections.abc import Callable
from typing import Any

import structlog
from sqlalchemy import Engine
from sqlalchemy.engine import Connection

from atalaia.core.errors import StoreUnavailable
from atalaia.store.engine import BEGIN_WRITING, translate_error
from atalaia.store.inbox import Inbox
from atalaia.store.transaction import Handlers, Transaction
from atalaia.store.work import Merged, Work, settle

MAX_GROUP = 512
MAX_WAITING = 20_000
STOP_TIMEOUT_S = 8

log = structlog.get_logger()


class _UnitFailed(Exception):
    """A unit raised in a group without savepoints; the group's transaction is rolled back, the store is well."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(str(cause))
        self.cause = cause


class GroupWriter:
    """The writer's thread and its bounded queue."""

    def __init__(
        self,
        engine: Engine,
        handlers: Handlers,
        *,
        before_commit: Callable[[Transaction], None],
        after_commit: Callable[[Transaction], None],
        on_state: Callable[[BaseException | None], None],
    ) -> None:
        self._engine = engine
        self._handlers = handlers
        self._before_commit = before_commit
        self._after_commit = after_commit
        self._on_state = on_state
        self._inbox = Inbox()
        self._is_closing = False
        self._connection: Connection | None = None
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    @property
    def depth(self) -> int:
        """Units that wait."""
        return self._inbox.depth

    def submit(self, work: Work) -> None:
        """Queue a unit.

        Raises:
            Overloaded: too many wait already; nothing was queued.
        """
        if self._is_closing:
            raise StoreUnavailable("the hub is stopping")
        self._inbox.put(work, limit=MAX_WAITING)

    def close(self) -> None:
        """Write what waits, then stop."""
        self._is_closing = True
        self._inbox.end()
        self._thread.join(STOP_TIMEOUT_S)
        if self._connection is not None and not self._thread.is_alive():
            self._connection.close()

    def _run(self) -> None:
        is_last = False
        while not is_last:
            group, is_last = self._inbox.take(MAX_GROUP)
            if group:
                self._write(group)
                settle(group)

    def _write(self, group: list[Work]) -> None:
        try:
            try:
                tx = self._commit(group, is_bare=_is_bare(group))
            except _UnitFailed as failed:
                if len(group) == 1:
                    group[0].error = failed.cause
                    return
                tx = self._commit(group, is_bare=False)
        except Exception as error:  # noqa: BLE001 - the boundary of the loop: every caller gets it
            cause = translate_error(error) or error
            self._on_state(cause)
            self._drop_connection()
            for work in group:
                work.error = cause
            return
        self._on_state(None)
        self._tell(tx)

    def _commit(self, group: list[Work], *, is_bare: bool) -> Transaction:
        connection = self._connect()
        driver: Any = connection.connection.driver_connection
        if self._engine.dialect.name == "sqlite":  # the other driver begins with the first statement
            driver.execute(BEGIN_WRITING)
        tx = Transaction(connection, self._handlers)
        try:
            _run_group(tx, group, is_bare=is_bare)
            self._before_commit(tx)
            driver.commit()
        except _UnitFailed:
            driver.rollback()
            raise
        finally:
            if connection.in_transaction():  # something went through SQLAlchemy, which takes that for the beginning
                connection.rollback()
        return tx

    def _tell(self, tx: Transaction) -> None:
        try:
            self._after_commit(tx)
        except Exception:  # what is committed stays so, whatever a listener does
            log.exception("after_commit_failed")

    def _connect(self) -> Connection:
        if self._connection is None:
            self._connection = self._engine.connect()
        return self._connection

    def _drop_connection(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.invalidate()
                connection.close()
            except Exception:  # noqa: BLE001 - it is broken anyway
                log.debug("connection_close_failed")


def _is_bare(group: list[Work]) -> bool:
    return len(group) == 1 or all(work.merged is not None for work in group)


def _run_group(tx: Transaction, group: list[Work], *, is_bare: bool) -> None:
    merged: dict[Merged[Any, Any], list[Work]] = {}
    for work in group:
        if work.merged is not None:
            merged.setdefault(work.merged, []).append(work)
        elif work.unit is not None:
            work.value, work.error = _guarded(tx, work.unit, is_bare=is_bare)
    for kind, works in merged.items():
        _run_merged(tx, kind, works, is_bare=is_bare)


def _run_merged(tx: Transaction, kind: Merged[Any, Any], works: list[Work], *, is_bare: bool) -> None:
    payloads = [work.payload for work in works]
    results, error = _guarded(tx, lambda inner: kind.run(inner, payloads), is_bare=is_bare)
    if error is None:
        for work, result in zip(works, results, strict=True):
            work.value = result
    elif len(works) == 1:
        works[0].error = error
    else:
        for work in works:
            _run_merged(tx, kind, [work], is_bare=False)


def _guarded(tx: Transaction, unit: Callable[[Transaction], Any], *, is_bare: bool) -> tuple[Any, BaseException | None]:
    """Run a unit in a savepoint. What is about the store itself (full, gone) ends the whole group.

    Raises:
        _UnitFailed: it raised, and `is_bare`, so that it is the transaction that goes back.
    """
    marks = len(tx.after), len(tx.published)
    if not is_bare:
        _savepoint(tx, "SAVEPOINT unit")
    try:
        value = unit(tx)
    except Exception as error:
        if translate_error(error) is not None:
            raise
        if is_bare:
            raise _UnitFailed(error) from error
        _savepoint(tx, "ROLLBACK TO SAVEPOINT unit", "RELEASE SAVEPOINT unit")
        del tx.after[marks[0] :], tx.published[marks[1] :]
        return None, error
    if not is_bare:
        _savepoint(tx, "RELEASE SAVEPOINT unit")
    return value, None


def _savepoint(tx: Transaction, *statements: str) -> None:
    cursor = tx.connection.connection.driver_connection.cursor()  # type: ignore[union-attr]
    try:
        for statement in statements:
            cursor.execute(statement)
    finally:
        cursor.close()
