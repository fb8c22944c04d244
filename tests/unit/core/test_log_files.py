"""What is logged is on disk too: as JSON lines, errors apart, in files that turn over and stay small."""

import json
import logging
from pathlib import Path

import pytest
import structlog

from atalaia.core.log_files import LogFiles, last_lines
from atalaia.core.logging import configure_logging
from atalaia.core.redaction import Secret


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "logs"


def read(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.usefixtures("_default_logging")
def test_entries_of_ours_and_of_libraries_are_json_lines_without_secrets(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging(folder=folder)
    Secret("canary-on-disk")
    structlog.get_logger().info("asked", address="wss://host/canary-on-disk/json", password="x")
    structlog.get_logger().error("refused", why="canary-on-disk")
    structlog.get_logger().debug("too fine")
    logging.getLogger("library").warning("said %s", "canary-on-disk")

    entries = read(folder / "atalaia.log")
    assert [entry["event"] for entry in entries] == ["asked", "refused", "said ***"]
    assert entries[0]["password"] == "***"
    assert {"level", "timestamp"} <= set(entries[2])
    assert [entry["event"] for entry in read(folder / "errors.log")] == ["refused"]
    assert "canary" not in (folder / "atalaia.log").read_text(encoding="utf-8") + capsys.readouterr().err
    assert (folder / "atalaia.log").stat().st_mode & 0o077 == 0


def test_files_turn_over_and_the_oldest_go(folder: Path) -> None:
    files = LogFiles(folder, file_bytes=1000)
    for number in range(1000):
        files.write(f'{{"n": {number}}}', level="info")
    files.close()
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 8 * 1000
    assert last_lines(folder, 3) == ['{"n": 997}', '{"n": 998}', '{"n": 999}']


def test_the_last_lines_reach_back_over_a_turn(folder: Path) -> None:
    files = LogFiles(folder, file_bytes=100)
    for number in range(12):
        files.write(f'{{"n": {number:05}}}', level="info")
    files.close()
    assert last_lines(folder, 8) == [f'{{"n": {number:05}}}' for number in range(4, 12)]
    assert last_lines(folder / "nowhere", 8) == []


def test_a_folder_that_is_gone_stops_nobody(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = LogFiles(folder)
    folder.rmdir()
    files.write("{}", level="error")
    files.close()
    assert capsys.readouterr().err == ""
