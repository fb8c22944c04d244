"""What all tests share: a store on either engine, a clock to hold."""

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import psycopg
import pytest

from atalaia.core.ids import new_id
from atalaia.store.opening import migrate_store, open_store
from atalaia.store.store import Store
from tests import servers
from tests.fakes import FakeClock

SOURCE = Path(__file__).resolve().parent.parent / "src" / "atalaia"

MakeStore = Callable[..., Store]

# How long an example takes depends on what else the machine does; speed is for the benchmarks.
hypothesis.settings.register_profile("atalaia", deadline=None)
hypothesis.settings.load_profile("atalaia")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """A private cluster for the run; tests that want it are skipped, by name, where PostgreSQL is not installed."""
    with contextlib.ExitStack() as stack:
        # Not below pytest's own folder: that one is closed to the user that the server runs as.
        folder = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="atalaia-pg-", ignore_cleanup_errors=True))
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
    """None stands for SQLite."""
    if dialect == "sqlite":
        return None
    url: str = request.getfixturevalue("new_database")()
    return url


@pytest.fixture
def make_store(database_url: str | None, tmp_path: Path) -> Iterator[MakeStore]:
    """`make_store("access", "watch")`: a store with the tables of these slices, on the engine of this run of the test."""
    opened: list[Store] = []

    def make(*slices: str) -> Store:
        store = open_store(tmp_path, database_url=database_url)
        opened.append(store)
        migrate_store(store, [SOURCE / name / "migrations" for name in slices])
        return store

    yield make
    for store in opened:
        store.close()
