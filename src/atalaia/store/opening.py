"""Open the store that a data directory and perhaps a database address name."""

from collections.abc import Sequence
from pathlib import Path

from atalaia.store.engine import is_postgresql, postgresql_engine, sqlite_engine
from atalaia.store.migrations import migrate
from atalaia.store.store import Store

FILE_NAME = "atalaia.db"
MIGRATIONS = Path(__file__).parent / "migrations"


def open_store(data_dir: Path, *, database_url: str | None = None) -> Store:
    """The store, not yet migrated.

    Raises:
        ConfigError: the address is of no engine that we know.
    """
    if is_postgresql(database_url) and database_url is not None:
        engine = postgresql_engine(database_url)
        return Store(reader=engine, writer=engine, listen_url=f"postgresql://{database_url.partition('://')[2]}")
    path = str(data_dir / FILE_NAME)
    return Store(reader=sqlite_engine(path), writer=sqlite_engine(path, is_writer=True))


def migrate_store(store: Store, slices: Sequence[Path]) -> list[str]:
    """Bring the store and all slices to this version; the revisions that were applied."""
    return migrate(store.writer_engine, [MIGRATIONS, *slices])
