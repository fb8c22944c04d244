"""Migrations: each slice has its own branch; all run forward at start, under a lock, each in a transaction.

Alembic is loaded where there is something to do, which most starts and commands find there is not.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

from sqlalchemy import Engine, text
from sqlalchemy.engine import Connection

from atalaia.core.errors import ConfigError
from atalaia.store.revisions import heads

if TYPE_CHECKING:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

_LOCK_NUMBER = 0x41_7A_1A_1A  # any constant that others won't take


def _configured(locations: Sequence[Path]) -> "tuple[Config, ScriptDirectory]":
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(locations[0]))
    config.set_main_option("version_locations", "\n".join(str(location) for location in locations))
    config.set_main_option("path_separator", "newline")
    return config, ScriptDirectory.from_config(config)


def pending(engine: Engine, locations: Sequence[Path]) -> list[str]:
    """The revisions that `migrate` would apply, in order.

    Raises:
        ConfigError: the database has a revision that this version doesn't know.
    """
    with engine.connect() as connection:
        applied = _applied(connection)
    if applied == heads(locations):
        return []
    _, scripts = _configured(locations)
    _refuse_newer(scripts, applied)
    done = {script.revision for script in scripts.iterate_revisions(tuple(applied), "base")} if applied else set()
    every = [script.revision for script in scripts.walk_revisions()]
    return [revision for revision in reversed(every) if revision not in done]


def migrate(engine: Engine, locations: Sequence[Path], *, to: tuple[str, ...] = ("heads",)) -> list[str]:
    """Bring the database to this version, or to the revisions of `to` on the way; the revisions that were applied.

    Raises:
        ConfigError: the database is of a newer version.
    """
    with engine.connect() as connection:
        if to == ("heads",) and _applied(connection) == heads(locations):
            return []
    config, scripts = _configured(locations)
    with engine.connect() as connection, _locked(connection):
        applied = _applied(connection)
        _refuse_newer(scripts, applied if to == ("heads",) else {*applied, *to})
        connection.rollback()
        todo = pending(engine, locations)
        if todo:
            _upgrade(connection, config, scripts, to=to)
    return todo


def _upgrade(connection: Connection, config: "Config", scripts: "ScriptDirectory", *, to: tuple[str, ...]) -> None:
    from alembic.runtime.environment import EnvironmentContext

    context = EnvironmentContext(
        config,
        scripts,
        fn=lambda revision, _: scripts._upgrade_revs(cast("str", to), revision),  # noqa: SLF001 - as alembic's own command does
        destination_rev=to,
    )
    with context:
        context.configure(connection=connection, transaction_per_migration=True, transactional_ddl=True)
        context.run_migrations()
    connection.commit()


@contextmanager
def _locked(connection: Connection) -> Iterator[None]:
    """One at a time: on PostgreSQL by an advisory lock; on SQLite the data directory's lock stands already."""
    if connection.dialect.name != "postgresql":
        yield
        return
    connection.execute(text("SELECT pg_advisory_lock(:n)"), {"n": _LOCK_NUMBER})
    connection.commit()
    try:
        yield
    finally:
        connection.rollback()
        connection.execute(text("SELECT pg_advisory_unlock(:n)"), {"n": _LOCK_NUMBER})
        connection.commit()


def _applied(connection: Connection) -> set[str]:
    if not connection.dialect.has_table(connection, "alembic_version"):
        return set()
    return set(connection.execute(text("SELECT version_num FROM alembic_version")).scalars())


def _refuse_newer(scripts: "ScriptDirectory", applied: set[str]) -> None:
    known = {script.revision for script in scripts.walk_revisions()}
    unknown = sorted(applied - known)
    if unknown:
        raise ConfigError(
            f"the database is of a newer version of Atalaia (it has {', '.join(unknown)}, which this one does not know)",
            code="database_newer",
            hint="Install the version that made it, or restore a backup from before.",
        )
