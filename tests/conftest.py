"""What all tests share: a store on either engine, a clock to hold."""

import contextlib
import gc
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import psycopg
import pytest

from atalaia.core.ids import new_id
from atalaia.store.opening import migrate_store, open_store
from atalaia.store.store import Store
from tests import servers
from tests.fakes import FakeClock
from tests.tables import copy_tables

TESTS = Path(__file__).resolve().parent
SOURCE = TESTS.parent / "src" / "atalaia"

MEMORY_BYTES = 2**30

MakeStore = Callable[..., Store]

# How long an example takes depends on what else the machine does; speed is for the benchmarks.
hypothesis.settings.register_profile("atalaia", deadline=None)
hypothesis.settings.load_profile("atalaia")


# A worker takes a file at a time: one of these at the end of a run would have all others wait for it.
LONG_FILES = (
    "acceptance/test_two_commands.py",
    "acceptance/test_signals.py",
    "acceptance/test_worker.py",
    "acceptance/test_cli.py",
    "acceptance/test_fleet_crashes.py",
    "acceptance/test_crashes.py",
    "acceptance/test_binance_hub_kills.py",
    "acceptance/test_charging_reports.py",
    "acceptance/test_charging_notices.py",
    "acceptance/test_postgresql.py",
    "acceptance/test_jobs_node_worker.py",
    "acceptance/test_third_party_integration.py",
    "acceptance/test_ocpp.py",
    "acceptance/test_faults.py",
    "acceptance/test_charging_totals.py",
    "acceptance/test_fleet.py",
    "acceptance/test_charging_outages.py",
    "acceptance/test_snapshot.py",
    "acceptance/test_charging_live.py",
    "acceptance/test_signaller.py",
    "acceptance/test_binance_crashes.py",
    "browser/test_pages.py",
    "browser/test_jobs.py",
    "browser/test_charging.py",
    "browser/test_charging_residents.py",
    "contract/test_openapi.py",
    "contract/integrations/test_conformance.py",
    "store/test_jobs_machine.py",
    "store/test_binance_machine.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = {name: place for place, name in enumerate(LONG_FILES)}
    items.sort(key=lambda item: places.get(os.path.relpath(item.path, TESTS), len(places)))


def pytest_collection_finish() -> None:
    """What was loaded stays for the whole run: the collector need not look at it again after every few objects."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def _roomy_memory() -> Path | None:
    """Hundreds of databases are made and dropped: in memory, where there is room for it, that costs little."""
    memory = Path("/dev/shm")  # noqa: S108 - the folder below it gets a name of its own
    return memory if memory.is_dir() and shutil.disk_usage(memory).free > MEMORY_BYTES else None


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """A private cluster for the run; tests that want it are skipped, by name, where PostgreSQL is not installed."""
    with contextlib.ExitStack() as stack:
        # Not below pytest's own folder: that one is closed to the user that the server runs as.
        folder = Path(
            stack.enter_context(
                tempfile.TemporaryDirectory(prefix="atalaia-pg-", dir=_roomy_memory(), ignore_cleanup_errors=True)
            )
        )
        try:
            yield stack.enter_context(servers.postgresql(folder))
        except FileNotFoundError:
            pytest.skip("PostgreSQL is not installed (Debian: postgresql)")


@pytest.fixture
def new_database(postgresql_url: str) -> Callable[[], str]:
    """Makes an empty database and gives its address."""

    def make() -> str:
        name = "t" + new_id().replace("-", "")
        with psycopg.connect(postgresql_url, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
        return f"{postgresql_url.rpartition('/')[0]}/{name}"

    return make


@pytest.fixture(params=["sqlite", "postgresql"])
def dialect(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def database_url(dialect: str, request: pytest.FixtureRequest) -> str | None:
    """None stands for SQLite; on PostgreSQL the database is made by `make_store`."""
    if dialect == "sqlite":
        return None
    url: str = request.getfixturevalue("postgresql_url")
    return f"{url.rpartition('/')[0]}/t{new_id().replace('-', '')}"


@pytest.fixture
def empty_database_url(database_url: str | None) -> str | None:
    """The same, and it is there."""
    if database_url is not None:
        server, _, name = database_url.rpartition("/")
        with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
    return database_url


class Templates:
    """Stores that were migrated once in this run: a test gets a copy, since migrating takes ten times as long."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: dict[tuple[str, ...], str] = {}

    def copy_sqlite(self, slices: tuple[str, ...], data_dir: Path) -> None:
        copy_tables(data_dir, [SOURCE / name / "migrations" for name in slices])

    def copy_postgresql(self, slices: tuple[str, ...], url: str) -> None:
        server, _, name = url.rpartition("/")
        made = self._made.get((server, *slices))
        with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
            if made is None:
                made = f"template_{new_id().replace('-', '')}"
                connection.execute(f'CREATE DATABASE "{made}"'.encode())
                self._migrate(open_store(self._folder, database_url=f"{server}/{made}"), slices)
                self._made[server, *slices] = made
            servers.wait_until(lambda: _is_copied(connection, made, name), what="a copy of the tables")

    def drop(self, url: str) -> None:
        server, _, name = url.rpartition("/")
        with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())

    def _migrate(self, store: Store, slices: tuple[str, ...]) -> None:
        try:
            migrate_store(store, [SOURCE / name / "migrations" for name in slices])
        finally:
            store.close()


def _is_copied(connection: "psycopg.Connection[Any]", made: str, name: str) -> bool:
    """Who closed the template is perhaps still on the way out: the server waits for that, but for five seconds only."""
    try:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{made}"'.encode())
    except psycopg.errors.ObjectInUse:
        return False
    return True


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    return Templates(tmp_path_factory.mktemp("templates"))


@pytest.fixture
def make_store(database_url: str | None, tmp_path: Path, templates: Templates) -> Iterator[MakeStore]:
    """`make_store("access", "watch")`: a store with the tables of these slices, on the engine of this run of the test."""
    opened: list[Store] = []

    def make(*slices: str) -> Store:
        if not opened and database_url is None:
            templates.copy_sqlite(slices, tmp_path)
        elif not opened and database_url is not None:
            templates.copy_postgresql(slices, database_url)
        store = open_store(tmp_path, database_url=database_url)
        opened.append(store)
        if len(opened) > 1:
            migrate_store(store, [SOURCE / name / "migrations" for name in slices])
        return store

    yield make
    for store in opened:
        store.close()
    if opened and database_url is not None:
        templates.drop(database_url)
