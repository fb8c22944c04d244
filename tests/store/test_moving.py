"""A hub moves from the embedded store to PostgreSQL with every row."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from atalaia.core.errors import ConfigError
from atalaia.store.moving import copy_to_postgresql
from atalaia.store.opening import MIGRATIONS, migrate_store, open_store
from atalaia.store.page_settings import read_page_settings, write_page_setting
from tests.conftest import SOURCE

NOW = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
ALL = sorted(SOURCE.glob("*/migrations"))
SLICES = [folder for folder in ALL if folder != MIGRATIONS]
LOCATIONS = [MIGRATIONS, *SLICES]
PERSON = "INSERT INTO people (id, email, name, role, is_disabled, totp_secret, created_at) VALUES (?, ?, ?, 'ADMIN', ?, ?, 1)"


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    store = open_store(tmp_path)
    migrate_store(store, SLICES)
    people = [
        (f"p{number}", f"{number}@example.org", "Ação 🗼", number % 2, bytes([number % 256])) for number in range(3000)
    ]
    store.write_now(lambda tx: tx.raw_many(PERSON, people))
    store.write_now(lambda tx: write_page_setting(tx, "hub.timezone", "Europe/Lisbon", now=NOW))
    store.close()
    return tmp_path


def test_every_row_arrives_as_it_was(data_dir: Path, new_database: Callable[[], str]) -> None:
    url = new_database()
    rows = copy_to_postgresql(data_dir, url, migrations=LOCATIONS)
    assert rows["people"] == 3000
    store = open_store(data_dir, database_url=url)
    try:
        found = store.read_now(lambda tx: tx.raw("SELECT name, is_disabled, totp_secret FROM people WHERE id = 'p7'"))
        assert [(name, disabled, bytes(secret)) for name, disabled, secret in found] == [("Ação 🗼", True, b"\x07")]
        assert store.read_now(read_page_settings) == {"hub.timezone": "Europe/Lisbon"}
        assert migrate_store(store, SLICES) == []
    finally:
        store.close()


def test_a_database_with_tables_is_refused(data_dir: Path, new_database: Callable[[], str]) -> None:
    url = new_database()
    copy_to_postgresql(data_dir, url, migrations=LOCATIONS)
    with pytest.raises(ConfigError) as refused:
        copy_to_postgresql(data_dir, url, migrations=LOCATIONS)
    assert refused.value.code == "not_empty"


def test_without_data_there_is_nothing_to_move(tmp_path: Path, new_database: Callable[[], str]) -> None:
    with pytest.raises(ConfigError) as refused:
        copy_to_postgresql(tmp_path, new_database(), migrations=LOCATIONS)
    assert refused.value.code == "nothing_there"
