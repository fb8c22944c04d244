"""The store: units of work in, values out, on SQLite or PostgreSQL."""

import asyncio
import concurrent.futures
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

import structlog
from sqlalchemy import Engine

from atalaia.core.errors import AtalaiaError, StoreFull
from atalaia.core.events import Event
from atalaia.sdk.transaction import DialectName, Tx
from atalaia.store.engine import is_retryable, translate_error
from atalaia.store.live import Live
from atalaia.store.transaction import Transaction
from atalaia.store.work import Merged, Work
from atalaia.store.writer import GroupWriter

if TYPE_CHECKING:
    from atalaia.store.listen import Listener

T = TypeVar("T")
P = TypeVar("P")
R = TypeVar("R")
READ_THREADS = 4
WRITE_THREADS = 6
TRIES = 4

log = structlog.get_logger()


class Store:
    """One interface over both engines.

    `write` returns after the commit; `read` sees one consistent snapshot on SQLite and READ COMMITTED on PostgreSQL.
    On SQLite every write goes through the one writer; on PostgreSQL merged units do, others have a connection each.
    """

    def __init__(self, *, reader: Engine, writer: Engine, listen_url: str | None = None) -> None:
        self.dialect: DialectName = "postgresql" if writer.dialect.name == "postgresql" else "sqlite"
        self.live = Live()
        self.reader_engine = reader
        self.writer_engine = writer
        self.trouble: BaseException | None = None  # why writing fails now, if it does
        self._handlers: dict[type[Event], list[Callable[[Any, Any], None]]] = {}
        self._readers = ThreadPoolExecutor(READ_THREADS, thread_name_prefix="store-read")
        self._writers = ThreadPoolExecutor(WRITE_THREADS, thread_name_prefix="store-write")
        self._listener = _listener(listen_url, self.live)
        self._writer = GroupWriter(
            writer,
            self._handlers,
            before_commit=self._before_commit,
            after_commit=self._committed,
            on_state=self._note_state,
        )

    # -- wiring

    def on(self, event: type[Event], handler: Callable[[Tx, Any], None]) -> None:
        self._handlers.setdefault(event, []).append(handler)

    @property
    def is_full(self) -> bool:
        return isinstance(self.trouble, StoreFull)

    @property
    def waiting(self) -> int:
        """Units of work in the writer's queue."""
        return self._writer.depth

    # -- from the event loop

    async def read(self, unit: Callable[[Tx], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._readers, self.read_now, unit)

    async def write(self, unit: Callable[[Tx], T]) -> T:
        """Run `unit` in a transaction; comes back after the commit.

        Raises:
            Overloaded: too many writes wait; nothing was done.
            StoreFull: the disk is full; nothing was kept.
            StoreUnavailable: the database can't be reached; nothing was kept.
            Whatever the unit raises; its writes are rolled back.
        """
        loop = asyncio.get_running_loop()
        if self.dialect == "postgresql":
            return await loop.run_in_executor(self._writers, self._write_pooled, unit)
        waiter: asyncio.Future[T] = loop.create_future()
        self._writer.submit(Work(unit, None, None, waiter, loop))
        return await waiter

    def merge(self, kind: Merged[P, R], payload: P) -> "asyncio.Future[R]":
        """Hand a payload to a merged unit; its own result is there after the commit. Raises as `write`.

        Not a coroutine: each layer between a hot route and the commit is paid for by every request.
        """
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[R] = loop.create_future()
        self._writer.submit(Work(None, kind, payload, waiter, loop))
        return waiter

    # -- from any other thread, or without a loop (commands, tests)

    def read_now(self, unit: Callable[[Tx], T]) -> T:
        try:
            with self.reader_engine.connect() as connection, connection.begin():
                return unit(Transaction(connection, self._handlers))
        except Exception as error:
            raise translate_error(error) or error from error

    def write_now(self, unit: Callable[[Tx], T]) -> T:
        if self.dialect == "postgresql":
            return self._write_pooled(unit)
        waiter: concurrent.futures.Future[T] = concurrent.futures.Future()
        self._writer.submit(Work(unit, None, None, waiter, None))
        return waiter.result()

    def close(self) -> None:
        """Write what waits, then close all connections."""
        self._writer.close()
        if self._listener is not None:
            self._listener.close()
        self._writers.shutdown(wait=True)
        self._readers.shutdown(wait=True)
        self.reader_engine.dispose()
        self.writer_engine.dispose()

    # -- inside

    def _write_pooled(self, unit: Callable[[Tx], T]) -> T:
        for attempt in range(1, TRIES + 1):
            try:
                with self.writer_engine.connect() as connection, connection.begin():
                    tx = Transaction(connection, self._handlers)
                    value = unit(tx)
                    self._before_commit(tx)
            except Exception as error:
                if is_retryable(error) and attempt < TRIES:
                    time.sleep(0.01 * 2**attempt)
                    continue
                cause = translate_error(error)
                if cause is not None:
                    self._note_state(cause)
                raise cause or error from error
            self._note_state(None)
            try:
                self._committed(tx)
            except Exception:  # what is committed stays so, whatever is done after it
                log.exception("after_commit_failed")
            return value
        raise AssertionError("unreachable")

    def _before_commit(self, tx: Transaction) -> None:
        if self._listener is not None and tx.published:
            self._listener.notify(tx.connection, tx.published)

    def _committed(self, tx: Transaction) -> None:
        for call in tx.after:
            call()
        for topic, id_ in tx.published:
            self.live.publish(topic, id_)

    def _note_state(self, error: BaseException | None) -> None:
        before, trouble = self.trouble, error if isinstance(error, AtalaiaError) else None
        self.trouble = trouble
        if trouble is not None and type(before) is not type(trouble):
            log.error("store_unwritable", code=trouble.code, reason=str(trouble))
        elif before is not None and trouble is None:
            log.warning("store_writable_again")


def _listener(url: str | None, live: Live) -> "Listener | None":
    if url is None:
        return None
    from atalaia.store.listen import Listener  # brings the PostgreSQL driver: 6 MB that SQLite need not pay for

    return Listener(url, live)
