"""The one implementation of sdk.transaction.Tx, over a SQLAlchemy connection."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from sqlalchemy import Executable, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Row

from atalaia.core.events import Event
from atalaia.sdk.transaction import DialectName

Handlers = Mapping[type[Event], Sequence[Callable[[Any, Any], None]]]


class Transaction:
    """See sdk.transaction.Tx."""

    __slots__ = ("_handlers", "after", "connection", "dialect", "published")

    def __init__(self, connection: Connection, handlers: Handlers) -> None:
        self.connection = connection
        self.dialect = cast("DialectName", connection.dialect.name)
        self.after: list[Callable[[], None]] = []
        self.published: list[tuple[str, str]] = []
        self._handlers = handlers

    def execute(self, statement: Executable, params: Any = None) -> int:
        return self.connection.execute(statement, params).rowcount

    def rows(self, statement: Executable, params: Any = None) -> Sequence[Row[Any]]:
        return self.connection.execute(statement, params).all()

    def one(self, statement: Executable, params: Any = None) -> Row[Any] | None:
        return self.connection.execute(statement, params).first()

    def value(self, statement: Executable, params: Any = None) -> Any:
        return self.connection.execute(statement, params).scalar()

    def insert(self, table: Table, rows: Sequence[dict[str, Any]]) -> None:
        if rows:
            self.connection.execute(table.insert(), list(rows))

    def upsert(
        self, table: Table, rows: Sequence[dict[str, Any]], *, key: Sequence[str], update: Sequence[str] = ()
    ) -> int:
        if not rows:
            return 0
        statement: Any = (postgresql if self.dialect == "postgresql" else sqlite).insert(table)
        if update:
            changed = {name: statement.excluded[name] for name in update}
            statement = statement.on_conflict_do_update(index_elements=list(key), set_=changed)
        else:
            statement = statement.on_conflict_do_nothing(index_elements=list(key))
        # Of an INSERT, SQLAlchemy keeps the count only when told to.
        statement = statement.execution_options(preserve_rowcount=True)
        return self.connection.execute(statement, list(rows)).rowcount

    def raw(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        cursor = self._driver().cursor()
        try:
            cursor.execute(self._text(sql), tuple(params))
            return cursor.fetchall() if cursor.description else []
        finally:
            cursor.close()

    def raw_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        if not rows:
            return
        cursor = self._driver().cursor()
        try:
            cursor.executemany(self._text(sql), rows)
        finally:
            cursor.close()

    def emit(self, event: Event) -> None:
        for handler in self._handlers.get(type(event), ()):
            handler(self, event)

    def hears(self, event: type[Event]) -> bool:
        return bool(self._handlers.get(event))

    def after_commit(self, call: Callable[[], None]) -> None:
        self.after.append(call)

    def publish(self, topic: str, id: str = "") -> None:
        if (topic, id) not in self.published:
            self.published.append((topic, id))

    def _driver(self) -> Any:
        return self.connection.connection.driver_connection

    def _text(self, sql: str) -> str:
        return sql if self.dialect == "sqlite" else sql.replace("?", "%s")
