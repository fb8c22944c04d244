"""Group commit: one thread writes, many units to a commit.

1. Take all work that waits, up to MAX_GROUP.
2. BEGIN (IMMEDIATE on SQLite); run each unit in a savepoint, all payloads of one merged kind as one unit.
3. A unit that raises is rolled back alone, and its caller gets the error.
4. COMMIT (durable: synchronous=FULL). Only then are the callers answered, and what was published goes out.
5. A commit that fails fails every unit of the group: nobody was answered, nothing is lost.

Source: docs/decisions/0002-group-commit.md
"""

import queue
import threading
from collections.abc import Callable
from typing import Any

import structlog
from sqlalchemy import Engine
from sqlalchemy.engine import Connection

from atalaia.core.errors import Overloaded, StoreUnavailable
from atalaia.store.engine import translate_error
from atalaia.store.transaction import Handlers, Transaction
from atalaia.store.work import Merged, Outcome, Work, WorkQueue, settle

MAX_GROUP = 512
MAX_WAITING = 20_000
STOP_TIMEOUT_S = 8

log = structlog.get_logger()


class _UnitFailed(Exception):
    """A unit that was alone in its group raised; the group's transaction is rolled back, the store is well."""

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
        self._queue: WorkQueue = queue.SimpleQueue()
        self._is_closing = False
        self._connection: Connection | None = None
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    @property
    def depth(self) -> int:
        """Units that wait."""
        return self._queue.qsize()

    def submit(self, work: Work) -> None:
        """Queue a unit.

        Raises:
            Overloaded: too many wait already; nothing was queued.
        """
        if self._is_closing:
            raise StoreUnavailable("the hub is stopping")
        if self._queue.qsize() >= MAX_WAITING:
            raise Overloaded("too many writes are waiting", retry_after_s=1)
        self._queue.put(work)

    def close(self) -> None:
        """Write what waits, then stop."""
        self._is_closing = True
        self._queue.put(None)
        self._thread.join(STOP_TIMEOUT_S)
        if self._connection is not None and not self._thread.is_alive():
            self._connection.close()

    def _run(self) -> None:
        stop = False
        while not stop:
            group, stop = self._take()
            if group:
                settle(self._write(group))

    def _take(self) -> tuple[list[Work], bool]:
        first = self._queue.get()
        if first is None:
            return [], True
        group = [first]
        while len(group) < MAX_GROUP:
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                break
            if item is None:
                return group, True
            group.append(item)
        return group, False

    def _write(self, group: list[Work]) -> list[tuple[Work, Outcome]]:
        try:
            connection = self._connect()
            with connection.begin():
                tx = Transaction(connection, self._handlers)
                done = _run_group(tx, group)
                self._before_commit(tx)
        except _UnitFailed as failed:  # its group was itself alone
            return [(group[0], (None, failed.cause))]
        except Exception as error:  # noqa: BLE001 - the boundary of the loop: every caller gets it
            cause = translate_error(error) or error
            self._on_state(cause)
            self._drop_connection()
            return [(work, (None, cause)) for work in group]
        self._on_state(None)
        self._tell(tx)
        return done

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


def _run_group(tx: Transaction, group: list[Work]) -> list[tuple[Work, Outcome]]:
    merged: dict[Merged[Any, Any], list[Work]] = {}
    done: list[tuple[Work, Outcome]] = []
    alone = len(group) == 1
    for work in group:
        if work.merged is not None:
            merged.setdefault(work.merged, []).append(work)
        else:
            done.append((work, _guarded(tx, work.unit, alone=alone)))
    for kind, works in merged.items():
        done.extend(_run_merged(tx, kind, works))
    return done


def _run_merged(tx: Transaction, kind: Merged[Any, Any], works: list[Work]) -> list[tuple[Work, Outcome]]:
    payloads = [work.payload for work in works]
    results, error = _guarded(tx, lambda inner: kind.run(inner, payloads))
    if error is None:
        return [(work, (result, None)) for work, result in zip(works, results, strict=True)]
    if len(works) == 1:
        return [(works[0], (None, error))]
    return [(work, _run_single(tx, kind, work)) for work in works]


def _run_single(tx: Transaction, kind: Merged[Any, Any], work: Work) -> Outcome:
    results, error = _guarded(tx, lambda inner: kind.run(inner, [work.payload]))
    return (None, error) if error is not None else (results[0], None)


def _guarded(tx: Transaction, unit: Callable[[Transaction], Any] | None, *, alone: bool = False) -> Outcome:
    """Run a unit in a savepoint. What is about the store itself (full, gone) ends the whole group."""
    if unit is None:
        raise TypeError("work without a unit")
    marks = len(tx.after), len(tx.published)
    if not alone:
        _savepoint(tx, "SAVEPOINT unit")
    try:
        value = unit(tx)
    except Exception as error:
        if translate_error(error) is not None:
            raise
        if alone:
            raise _UnitFailed(error) from error
        _savepoint(tx, "ROLLBACK TO SAVEPOINT unit", "RELEASE SAVEPOINT unit")
        del tx.after[marks[0] :], tx.published[marks[1] :]
        return None, error
    if not alone:
        _savepoint(tx, "RELEASE SAVEPOINT unit")
    return value, None


def _savepoint(tx: Transaction, *statements: str) -> None:
    cursor = tx.connection.connection.driver_connection.cursor()  # type: ignore[union-attr]
    try:
        for statement in statements:
            cursor.execute(statement)
    finally:
        cursor.close()
