"""A command runs without a shell, within its time, with its output kept and none of the hub's secrets."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from atalaia.core.errors import ConfigError, InvalidField
from atalaia.core.settings import Settings
from atalaia.signals.model.runs import Ending, Outcome
from atalaia.signals.model.signals import Options
from atalaia.signals.service.command_task import (
    KEPT_BYTES,
    CommandLine,
    check_command,
    read_commands,
    run_command,
)
from atalaia.signals.service.tasks import Started
from atalaia.signals.settings import SETTINGS
from tests.servers import wait_until
from tests.stillness import unhurried

STARTED = Started("tidy", "run-1", 7, "", 0, "command", "{}", None)


def perform(*words: str, timeout_s: float = 60) -> Ending:
    return asyncio.run(run_command("tidy", CommandLine(list(words), timeout_s), STARTED))


def commands(table: Any) -> Any:
    return read_commands(Settings(SETTINGS, file={"signals": {"commands": table}}))


def test_it_ends_well_with_its_output() -> None:
    ended = perform("/bin/sh", "-c", "echo to $ATALAIA_SIGNAL $ATALAIA_FENCE; echo also >&2")
    assert (ended.outcome, ended.output) == (Outcome.SUCCEEDED, "to tidy 7\nalso")


def test_words_are_words_and_no_shells() -> None:
    assert perform("/bin/echo", "$HOME; ls").output == "$HOME; ls"


def test_another_status_is_a_failure() -> None:
    ended = perform("/bin/sh", "-c", "echo why; exit 3")
    assert (ended.outcome, ended.error, ended.output) == (Outcome.FAILED, "exit status 3", "why")


def test_a_program_that_is_not_there_is_a_failure() -> None:
    assert "could not be started" in (perform("/nowhere/program").error or "")


def test_the_last_of_a_long_output_is_kept() -> None:
    ended = perform("/bin/sh", "-c", "yes | head -c 200000; echo end")
    assert len(ended.output or "") <= KEPT_BYTES
    assert (ended.output or "").endswith("end")


def test_the_hubs_environment_is_not_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATALAIA_SECRET_KEY", "hush")
    assert "hush" not in (perform("/usr/bin/env").output or "")


def test_what_takes_too_long_is_ended_with_all_its_children(tmp_path: Path) -> None:
    def scene(slower: float) -> None:
        mark, limit_s = tmp_path / f"child-{slower:g}", 0.3 * slower
        ended = perform("/bin/sh", "-c", f"sleep 60 & echo $! > {mark}; wait", timeout_s=limit_s)
        assert (ended.outcome, ended.error) == (Outcome.FAILED, f"it took more than {limit_s:g} s")
        assert not is_running(int(mark.read_text(encoding="ascii")))

    unhurried(scene, bears_s=0.1)


def test_a_run_that_is_broken_off_ends_its_command(tmp_path: Path) -> None:
    mark = tmp_path / "pid"

    async def run() -> None:
        line = CommandLine(["/bin/sh", "-c", f"echo $$ > {mark}.new; mv {mark}.new {mark}; exec sleep 60"])
        task = asyncio.create_task(run_command("tidy", line, STARTED))
        async with asyncio.timeout(60):
            while not mark.exists():  # noqa: ASYNC110 - another process makes it
                await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(ProcessLookupError):
            os.kill(int(mark.read_text(encoding="ascii")), 0)

    asyncio.run(run())


HUB = """
import asyncio, sys
from atalaia.signals.service.command_task import CommandLine, run_command
from atalaia.signals.service.tasks import Started

asyncio.run(run_command("tidy", CommandLine(sys.argv[1:], 60), Started("tidy", "run-1", 7, "", 0, "command", "{}", None)))
"""


def test_a_command_and_its_children_end_with_a_hub_that_is_killed(tmp_path: Path) -> None:
    mark = tmp_path / "pids"
    # The shell itself does not listen when it is asked to end.
    script = f"trap '' TERM; sleep 60 & echo $$ $! > {mark}.new; mv {mark}.new {mark}; while :; do wait; done"
    with subprocess.Popen([sys.executable, "-c", HUB, "/bin/sh", "-c", script]) as hub:
        wait_until(mark.exists, what="the command", timeout_s=60)
        hub.kill()
    pids = [int(word) for word in mark.read_text(encoding="ascii").split()]
    wait_until(lambda: not any(map(is_running, pids)), what="the end of the command", timeout_s=60)


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_signal_that_ends_a_command_is_told_as_such() -> None:
    assert perform("/bin/sh", "-c", "kill -9 $$").error == "exit status -9"
    assert perform("/bin/sh", "-c", "kill -15 $$").error == "exit status -15"


def test_only_what_the_settings_name_can_be_run() -> None:
    allowed = commands({"tidy": ["/bin/tidy", "-v"], "report": {"run": ["/bin/report"], "timeout_s": 9}})
    assert allowed["report"] == CommandLine(["/bin/report"], 9)
    check_command(allowed, Options(command="tidy"))
    for wrong in (None, "rm"):
        with pytest.raises(InvalidField):
            check_command(allowed, Options(command=wrong))


@pytest.mark.parametrize(
    "wrong", [{"a": "rm -rf /"}, {"a": []}, {"a": {"run": ["x"], "shell": True}}, {"a": {"run": ["x"], "timeout_s": 0}}]
)
def test_a_command_that_cannot_be_run_is_an_error_at_the_start(wrong: Any) -> None:
    with pytest.raises(ConfigError, match=r"signals\.commands\.a"):
        commands(wrong)


def test_commands_come_from_the_environment_as_json() -> None:
    said = {"ATALAIA_SIGNALS_COMMANDS": '{"tidy": ["/bin/tidy"]}'}
    assert read_commands(Settings(SETTINGS, environment=said)) == {"tidy": CommandLine(["/bin/tidy"])}
    with pytest.raises(ConfigError, match="not a valid table"):
        Settings(SETTINGS, environment={"ATALAIA_SIGNALS_COMMANDS": "tidy"})
