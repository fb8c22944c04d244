"""The transaction that a unit of work is given.

A unit of work is a plain function of a `Tx`: it reads and writes, returns a value, and knows nothing of threads,
commits or which engine it runs on. It must not wait for anything but the database.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

from atalaia.core.events import Event

if TYPE_CHECKING:  # a worker has no database: these 20 MB are the hub's alone
    from sqlalchemy import Executable, Table
    from sqlalchemy.engine import Connection, Row

T = TypeVar("T")
DialectName = Literal["sqlite", "postgresql"]


class Tx(Protocol):
    @property
    def dialect(self) -> DialectName: ...

    @property
    def connection(self) -> "Connection":
        """SQLAlchemy's connection, for what the methods here don't say."""

    def execute(self, statement: "Executable", params: Any = None) -> int:
        """Run a statement; how many rows it touched."""

    def rows(self, statement: "Executable", params: Any = None) -> "Sequence[Row[Any]]": ...

    def one(self, statement: "Executable", params: Any = None) -> "Row[Any] | None":
        """The first row, if there is one."""

    def value(self, statement: "Executable", params: Any = None) -> Any:
        """The first column of the first row, if there is one."""

    def insert(self, table: "Table", rows: Sequence[dict[str, Any]]) -> None:
        """Insert rows that have the same keys; nothing for none."""

    def upsert(
        self, table: "Table", rows: Sequence[dict[str, Any]], *, key: Sequence[str], update: Sequence[str] = ()
    ) -> int:
        """Insert, or where `key` is there already set the columns of `update` (none: leave it). Rows touched."""

    def raw(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """A hot statement past SQLAlchemy; `?` marks a parameter on both engines, so the text holds no other `?`."""

    def raw_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """The same statement for many rows."""

    def emit(self, event: Event) -> None:
        """Tell an event; its handlers run now, in this transaction."""

    def hears(self, event: type[Event]) -> bool:
        """Whether anybody listens to it: a hot unit need not make events for nobody."""

    def after_commit(self, call: Callable[[], None]) -> None:
        """Run `call` on the writer's thread after the commit; never after a rollback. It must be quick."""

    def publish(self, topic: str, id: str = "") -> None:
        """Tell live pages, after the commit and without promise, that `topic` (of `id`) has changed."""


Unit = Callable[[Tx], T]
