"""`atalaia capture` on files and on a directory of its own."""

import json
from pathlib import Path

import pytest

from atalaia.cli import run
from tests.unit.captures.recorded import SECRETS, frame, har, login_entry, message, socket_entry

CHECK = frame("vcls_check_opr", '"client_id":"77","vehicle_id":"1","client_name":"Ágil","is_checked":"1",')
Captured = pytest.CaptureFixture[str]


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    """Two recordings that differ in one type."""
    paths = tmp_path / "before.har", tmp_path / "after.har"
    for path, text in zip(paths, (CHECK, CHECK.replace('"is_checked":"1"', '"is_checked":1')), strict=True):
        path.write_bytes(har(login_entry(), socket_entry([message(text)])))
    return str(paths[0]), str(paths[1])


def call(output: Captured, *arguments: str) -> tuple[int, str, str]:
    status = run(["capture", *arguments])
    said = output.readouterr()
    return status, said.out, said.err


def test_two_files_are_compared_with_an_exit_status_that_scripts_can_use(
    files: tuple[str, str], capsys: Captured
) -> None:
    assert call(capsys, "diff", files[0], files[0])[0] == 0
    status, said, _ = call(capsys, "diff", *files)
    assert status == 1
    assert 'parameters.is_checked: captured string "1", would send number 1  [#3]' in said
    status, said, _ = call(capsys, "diff", *files, "--json")
    assert (status, json.loads(said)["same"]) == (1, False)


def test_what_cannot_be_compared_ends_with_another_status(
    files: tuple[str, str], tmp_path: Path, capsys: Captured
) -> None:
    bad = tmp_path / "bad.har"
    bad.write_bytes(har(socket_entry(None)))
    status, _, trouble = call(capsys, "diff", files[0], str(bad))
    assert status == 2
    assert "sanitised" in trouble
    assert "Export HAR (with sensitive data)" in trouble
    status, _, trouble = call(capsys, "diff", files[0], "no-such-capture", "--data-dir", str(tmp_path / "hub"))
    assert (status, "no such capture" in trouble) == (2, True)


def test_a_capture_is_imported_listed_compared_by_id_and_its_templates_chosen(
    files: tuple[str, str], tmp_path: Path, capsys: Captured
) -> None:
    where = ("--data-dir", str(tmp_path / "hub"))
    fleet = ("--upstream", "traffilog", *where)
    status, said, _ = call(capsys, "import", files[0], *fleet, "--name", "Scheme")
    assert status == 0
    assert "vcls_check_opr: as before" in said  # the built-in form is this one
    assert "imported before" in call(capsys, "import", files[0], *fleet)[1]
    status, said, _ = call(capsys, "import", files[1], *fleet, "--json")
    assert json.loads(said)["changed"] == ["vcls_check_opr"]
    listed = json.loads(call(capsys, "list", "--json", *where)[1])
    assert [each["name"] for each in listed] == ["after", "Scheme"]
    assert "Scheme" in call(capsys, "list", *where)[1]
    assert call(capsys, "diff", *(each["id"] for each in listed), *where)[0] == 1
    assert "vcls_check_opr: version 1" in call(capsys, "templates", *fleet)[1]
    assert call(capsys, "activate", "vcls_check_opr", "0", *fleet)[0] == 0
    shown = json.loads(call(capsys, "templates", "--json", *fleet)[1])
    assert shown["templates"]["vcls_check_opr"]["version"] == 0
    assert [secret for secret in SECRETS if secret in str(shown)] == []
    assert call(capsys, "activate", "vcls_check_opr", "7", *fleet)[0] == 1


def test_a_file_that_is_not_there_and_an_upstream_that_nobody_knows_are_named(
    files: tuple[str, str], tmp_path: Path, capsys: Captured
) -> None:
    status, _, trouble = call(capsys, "import", str(tmp_path / "nothing.har"), "--upstream", "traffilog")
    assert (status, "No such file" in trouble) == (2, True)
    status, _, trouble = call(capsys, "import", files[0], "--upstream", "elsewhere", "--data-dir", str(tmp_path))
    assert (status, "traffilog" in trouble) == (1, True)


def test_the_sniffer_is_printed_for_the_keys_that_are_wanted(capsys: Captured) -> None:
    status, said, _ = call(capsys, "sniffer", "--key", "op", "--key", "cmd")
    assert status == 0
    assert 'const KEYS = ["op","cmd"];' in said
    assert call(capsys, "sniffer", "--key", '"];x')[0] == 1
