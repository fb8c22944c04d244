"""`--help` lists every command, and each says by example how it is used."""

import re

import pytest

from atalaia.cli import COMMANDS, run


def test_every_command_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    listed = re.findall(r"^[│ ]+([a-z]+)  ", capsys.readouterr().out, flags=re.MULTILINE)
    assert set(COMMANDS) <= set(listed)


@pytest.mark.parametrize("command", ["serve", "demo", "backup", "restore", "migrate", "doctor"])
def test_a_command_is_shown_by_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([command, "--help"]) == 0
    assert f"Example: atalaia {command}" in capsys.readouterr().out


def test_a_command_that_is_not_there_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["sevre"]) == 2
    assert "sevre" in capsys.readouterr().err
