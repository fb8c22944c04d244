"""A backup is whole or it is refused; what is restored is what was there. On both engines."""

import base64
import errno
import os
import stat
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from atalaia.core.errors import BadInput, ConfigError, StoreFull
from atalaia.store.backup import Manifest, check_archive, make_backup, making, read_manifest, restore_backup, restoring
from atalaia.store.encryption import FILE_NAME as KEY_NAME
from atalaia.store.encryption import load_sealer, write_key_file
from atalaia.store.opening import MIGRATIONS, open_store
from atalaia.store.page_settings import write_page_setting
from atalaia.store.store import Store
from tests.conftest import SOURCE, MakeStore

NOW = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
LOCATIONS = [MIGRATIONS, SOURCE / "access" / "migrations"]
PERSON = (
    "INSERT INTO people (id, email, name, role, is_disabled, totp_secret, created_at)"
    " VALUES (?, ?, ?, 'ADMIN', {false}, ?, 1)"
)
CODE = "INSERT INTO recovery_codes (person_id, sha256) VALUES (?, ?)"


@pytest.fixture
def store(make_store: MakeStore) -> Store:
    return make_store("access")


@pytest.fixture
def empty_place(database_url: str | None, tmp_path: Path, request: pytest.FixtureRequest) -> tuple[Path, str | None]:
    """Where a backup of this engine can be restored to."""
    url = request.getfixturevalue("new_database")() if database_url else None
    return tmp_path / "restored", url


def add_person(store: Store, name: str, *, sealed: bytes | None = None) -> None:
    insert = PERSON.format(false="false" if store.dialect == "postgresql" else "0")
    store.write_now(lambda tx: tx.raw(insert, (name, f"{name}@example.org", name, sealed)))


def people(store: Store) -> list[str]:
    return [row[0] for row in store.read_now(lambda tx: tx.raw("SELECT name FROM people ORDER BY name"))]


def back_up(tmp_path: Path, database_url: str | None, *, name: str = "backup.tar.zst") -> Manifest:
    return make_backup(tmp_path / name, data_dir=tmp_path, database_url=database_url, version="1.2.3", now=NOW)


def without_key(_needed: Sequence[str]) -> None:
    return None


def restore(
    archive: Path, place: tuple[Path, str | None], ask_key: Callable[[Sequence[str]], str | None] = without_key
) -> Store:
    data_dir, url = place
    restore_backup(archive, data_dir=data_dir, database_url=url, migrations=LOCATIONS, ask_key=ask_key)
    return open_store(data_dir, database_url=url)


def test_what_is_restored_is_what_was_there(
    store: Store, tmp_path: Path, database_url: str | None, empty_place: tuple[Path, str | None]
) -> None:
    add_person(store, "Ana \\ \t \n ü ' \" 🗼")
    add_person(store, "Bia")
    store.write_now(lambda tx: tx.raw(CODE, ("Bia", bytes(range(256)))))
    store.write_now(lambda tx: write_page_setting(tx, "hub.timezone", "Europe/Lisbon", now=NOW))
    manifest = back_up(tmp_path, database_url)
    restored = restore(tmp_path / "backup.tar.zst", empty_place)
    try:
        assert people(restored) == people(store)
        assert restored.read_now(lambda tx: tx.raw("SELECT sha256 FROM recovery_codes")) == [(bytes(range(256)),)]
        assert restored.read_now(lambda tx: tx.raw("SELECT key, value FROM settings")) == [
            ("hub.timezone", '"Europe/Lisbon"')
        ]
        assert manifest.tables["people"].rows == 2
        add_person(restored, "Caio")  # and it goes on from there
    finally:
        restored.close()


def test_a_backup_is_of_one_moment_while_others_write(
    store: Store, tmp_path: Path, database_url: str | None, empty_place: tuple[Path, str | None]
) -> None:
    """Each write is a person and a code: a backup between the two would have one without the other."""
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            name = f"p{number}"
            insert = PERSON.format(false="false" if store.dialect == "postgresql" else "0")

            def both(tx: object, name: str = name, insert: str = insert) -> None:
                tx.raw(insert, (name, name, name, None))  # type: ignore[attr-defined]
                tx.raw(CODE, (name, b"1"))  # type: ignore[attr-defined]

            store.write_now(both)
            number += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        manifests = [back_up(tmp_path, database_url, name=f"{number}.tar.zst") for number in range(3)]
    finally:
        stop.set()
        writer.join()
    assert all(manifest.tables["people"].rows == manifest.tables["recovery_codes"].rows for manifest in manifests)
    restored = restore(tmp_path / "2.tar.zst", empty_place)
    assert len(people(restored)) == manifests[2].tables["people"].rows
    restored.close()


def test_any_changed_byte_is_found_and_nothing_is_restored(
    store: Store, tmp_path: Path, database_url: str | None, empty_place: tuple[Path, str | None]
) -> None:
    add_person(store, "Ana")
    back_up(tmp_path, database_url)
    whole = (tmp_path / "backup.tar.zst").read_bytes()
    bad = tmp_path / "bad.tar.zst"
    for place in range(0, len(whole), max(1, len(whole) // 40)):
        bad.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        with pytest.raises(BadInput):
            check_archive(bad)
    bad.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadInput, match="damaged"):
        restore(bad, empty_place)
    restore(tmp_path / "backup.tar.zst", empty_place).close()  # the place is still empty


def test_something_else_is_no_backup(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"hello")
    with pytest.raises(BadInput):
        read_manifest(tmp_path / "x")
    with pytest.raises(BadInput, match="can't read"):
        read_manifest(tmp_path / "missing")


def test_a_place_with_data_is_refused(store: Store, tmp_path: Path, database_url: str | None) -> None:
    add_person(store, "Ana")
    back_up(tmp_path, database_url)
    with pytest.raises(ConfigError) as refused:
        restore(tmp_path / "backup.tar.zst", (tmp_path, database_url))
    assert refused.value.code == "not_empty"
    assert people(store) == ["Ana"]


def test_a_backup_of_a_newer_version_is_refused(
    store: Store, tmp_path: Path, database_url: str | None, empty_place: tuple[Path, str | None]
) -> None:
    store.write_now(lambda tx: tx.raw("INSERT INTO alembic_version VALUES ('access_9999')"))
    back_up(tmp_path, database_url)
    with pytest.raises(ConfigError) as refused:
        restore(tmp_path / "backup.tar.zst", empty_place)
    assert refused.value.code == "database_newer"


def test_the_key_is_asked_for_and_never_in_the_backup(
    store: Store, tmp_path: Path, database_url: str | None, empty_place: tuple[Path, str | None]
) -> None:
    sealer = load_sealer(tmp_path)
    key = (tmp_path / KEY_NAME).read_text(encoding="ascii")
    add_person(store, "Ana", sealed=sealer.seal("JBSWY3DP", purpose="totp"))
    manifest = back_up(tmp_path, database_url)
    assert len(manifest.sealed_with) == 1
    assert KEY_NAME not in {member.name for member in manifest.members}
    asked: list[Sequence[str]] = []

    def give(needed: Sequence[str]) -> str:
        asked.append(needed)
        return key

    restored = restore(tmp_path / "backup.tar.zst", empty_place, give)
    sealed = restored.read_now(lambda tx: tx.raw("SELECT totp_secret FROM people"))[0][0]
    restored.close()
    assert asked == [manifest.sealed_with]
    assert load_sealer(empty_place[0]).open(sealed, purpose="totp") == "JBSWY3DP"
    assert stat.S_IMODE((empty_place[0] / KEY_NAME).stat().st_mode) == 0o600


def test_a_restore_that_dies_before_its_end_can_be_done_again(
    store: Store,
    tmp_path: Path,
    database_url: str | None,
    empty_place: tuple[Path, str | None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The database comes last: with it the place is taken, and a hub that finds it makes a key of its own where none is."""
    key = load_sealer(tmp_path).seal("x", purpose="totp")
    add_person(store, "Ana", sealed=key)
    back_up(tmp_path, database_url)
    given = (tmp_path / KEY_NAME).read_text(encoding="ascii")

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(restoring, "write_key_file", die)
        with pytest.raises(KeyboardInterrupt):
            restore(tmp_path / "backup.tar.zst", empty_place, lambda _needed: given)
    if database_url is None:
        again = restore(tmp_path / "backup.tar.zst", empty_place, lambda _needed: given)
        assert people(again) == ["Ana"]
        again.close()
        assert load_sealer(empty_place[0]).open(key, purpose="totp") == "x"
    else:  # its tables are there and empty: the hint says what to do
        with pytest.raises(ConfigError) as refused:
            restore(tmp_path / "backup.tar.zst", empty_place, lambda _needed: given)
        assert refused.value.code == "not_empty"


def test_a_backup_without_room_says_so_and_leaves_nothing(
    store: Store, tmp_path: Path, database_url: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_person(store, "Ana")

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(making, "write_archive", full)
    with pytest.raises(StoreFull):
        back_up(tmp_path, database_url, name="b/one.tar.zst")
    assert list((tmp_path / "b").iterdir()) == []
    monkeypatch.setattr(making, "describe", lambda _folder: (_ for _ in ()).throw(OSError(errno.EIO, "I/O error")))
    with pytest.raises(ConfigError) as refused:
        back_up(tmp_path, database_url, name="b/two.tar.zst")
    assert refused.value.code == "backup_unwritable"


def test_what_a_killed_backup_left_goes_with_the_next_one_of_another_day(
    store: Store, tmp_path: Path, database_url: str | None
) -> None:
    add_person(store, "Ana")
    folder = tmp_path / "b"
    for name, age_s in ((".backup-old", 90_000), (".backup-now", 0)):
        (folder / name).mkdir(parents=True)
        (folder / name / "atalaia.db").write_bytes(b"x" * 100)
        os.utime(folder / name, (time.time() - age_s,) * 2)
    (folder / "x.tar.zst.part").write_bytes(b"x")
    os.utime(folder / "x.tar.zst.part", (time.time() - 90_000,) * 2)
    back_up(tmp_path, database_url, name="b/one.tar.zst")
    assert sorted(path.name for path in folder.iterdir()) == [".backup-now", "one.tar.zst"]


def test_another_hubs_key_is_refused(
    store: Store, tmp_path: Path, database_url: str | None, empty_place: tuple[Path, str | None]
) -> None:
    add_person(store, "Ana", sealed=load_sealer(tmp_path).seal("x", purpose="totp"))
    back_up(tmp_path, database_url)
    empty_place[0].mkdir()
    write_key_file(empty_place[0], base64.b64encode(os.urandom(32)).decode())
    with pytest.raises(ConfigError) as refused:
        restore(tmp_path / "backup.tar.zst", empty_place)
    assert refused.value.code == "wrong_secret_key"


def test_the_settings_file_is_kept_without_its_secrets(
    store: Store, tmp_path: Path, database_url: str | None, empty_place: tuple[Path, str | None]
) -> None:
    add_person(store, "Ana")
    text = 'timezone = "Europe/Lisbon"\n[notify]\nsmtp_host = "mail"\nsmtp_password = "hush"\nrelay = "hush"\n'
    (tmp_path / "atalaia.toml").write_text(text, encoding="utf-8")
    make_backup(
        tmp_path / "b.tar.zst",
        data_dir=tmp_path,
        database_url=database_url,
        version="1",
        now=NOW,
        secret_settings={"notify.relay"},
    )
    restore(tmp_path / "b.tar.zst", empty_place).close()
    kept = (empty_place[0] / "atalaia.toml").read_text(encoding="utf-8")
    assert "smtp_host" in kept
    assert "hush" not in kept


def test_a_backup_never_overwrites_and_is_closed_to_others(
    store: Store, tmp_path: Path, database_url: str | None
) -> None:
    add_person(store, "Ana")
    back_up(tmp_path, database_url)
    assert stat.S_IMODE((tmp_path / "backup.tar.zst").stat().st_mode) == 0o600
    with pytest.raises(ConfigError, match="there already"):
        back_up(tmp_path, database_url)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_where_nothing_is_there_is_nothing_to_back_up(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        back_up(tmp_path, None)
    assert refused.value.code == "nothing_there"
