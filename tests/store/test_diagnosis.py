"""What the doctor says of a hub's data, on both engines where it differs."""

import base64
import os
from collections.abc import Iterable
from pathlib import Path

from atalaia.store.diagnosis import (
    Finding,
    Verdict,
    examine_database,
    examine_directory,
    examine_disk,
    examine_key,
)
from atalaia.store.directory import DirectoryLock
from atalaia.store.encryption import FILE_NAME as KEY_NAME
from atalaia.store.encryption import load_sealer
from tests.conftest import SOURCE, MakeStore
from tests.servers import free_port

ACCESS = SOURCE / "access" / "migrations"


def worst(findings: Iterable[Finding]) -> Finding:
    order = [Verdict.OK, Verdict.WARNING, Verdict.ERROR]
    return max(findings, key=lambda finding: order.index(finding.verdict))


def test_a_database_of_this_version_is_fine(make_store: MakeStore, tmp_path: Path, database_url: str | None) -> None:
    make_store("access")
    assert worst(examine_database(tmp_path, database_url=database_url, slices=[ACCESS])).verdict is Verdict.OK


def test_pending_migrations_are_told(make_store: MakeStore, tmp_path: Path, database_url: str | None) -> None:
    make_store()
    found = worst(examine_database(tmp_path, database_url=database_url, slices=[ACCESS]))
    assert found.verdict is Verdict.WARNING
    assert "atalaia migrate" in (found.advice or "")


def test_a_newer_database_is_an_error(make_store: MakeStore, tmp_path: Path, database_url: str | None) -> None:
    make_store().write_now(lambda tx: tx.raw("INSERT INTO alembic_version VALUES ('store_9999')"))
    found = worst(examine_database(tmp_path, database_url=database_url, slices=[]))
    assert found.verdict is Verdict.ERROR
    assert "newer" in found.message


def test_a_damaged_database_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "atalaia.db").write_bytes(b"SQLite format 3\0" + b"\x99" * 8192)
    assert worst(examine_database(tmp_path, database_url=None, slices=[])).verdict is Verdict.ERROR


def test_a_database_that_is_not_there_is_an_error_with_advice(tmp_path: Path) -> None:
    url = f"postgresql://nobody@127.0.0.1:{free_port()}/none"
    found = worst(examine_database(tmp_path, database_url=url, slices=[]))
    assert found.verdict is Verdict.ERROR
    assert found.advice


def test_a_key_that_others_can_read_is_an_error(tmp_path: Path) -> None:
    load_sealer(tmp_path)
    assert worst(examine_key(tmp_path)).verdict is Verdict.OK
    (tmp_path / KEY_NAME).chmod(0o640)
    found = worst(examine_key(tmp_path))
    assert found.verdict is Verdict.ERROR
    assert found.advice == f"chmod 600 {tmp_path / KEY_NAME}"


def test_a_key_that_is_none_is_an_error_that_does_not_show_it(tmp_path: Path) -> None:
    (tmp_path / KEY_NAME).write_text(base64.b64encode(os.urandom(8)).decode(), encoding="ascii")
    found = worst(examine_key(tmp_path))
    assert found.verdict is Verdict.ERROR
    assert (tmp_path / KEY_NAME).read_text(encoding="ascii") not in found.message


def test_the_hub_that_runs_on_a_directory_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    lock = DirectoryLock(tmp_path)
    lock.acquire()
    try:
        assert any(f"process {os.getpid()}" in finding.message for finding in examine_directory(tmp_path))
    finally:
        lock.release()
    assert any("no hub" in finding.message for finding in examine_directory(tmp_path))


def test_an_open_directory_is_a_warning_and_a_missing_one_an_error(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    assert worst(examine_directory(tmp_path)).verdict is Verdict.WARNING
    assert worst(examine_directory(tmp_path / "missing")).verdict is Verdict.ERROR


def test_free_space_is_told_also_where_the_directory_is_yet_to_be_made(tmp_path: Path) -> None:
    (finding,) = examine_disk(tmp_path / "not" / "yet")
    assert "GiB free" in finding.message
