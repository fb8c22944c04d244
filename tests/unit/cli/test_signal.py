"""`atalaia signal` makes, changes, shows and drops signals; run twice, it changes the one there is."""

import json
from pathlib import Path
from typing import Any

import pytest

from atalaia.cli import run

Say = Any


@pytest.fixture
def say(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Say:
    """Runs a command on a directory of its own; its exit status, and what it printed."""
    monkeypatch.setenv("ATALAIA_DATA_DIR", str(tmp_path))
    (tmp_path / "atalaia.toml").write_text('[signals.commands]\ntidy = ["/bin/tidy"]\n', encoding="utf-8")

    def say(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        status = run(["signal", *words])
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return say


def shown(say: Say, name: str) -> Any:
    status, out, _ = say("show", name, "--json")
    assert status == 0
    return json.loads(out)


def test_one_is_made_and_then_changed(say: Say) -> None:
    first = ("create", "monitor-execution", "--task", "binance.auto_close", "--min-interval", "1.5", "--json")
    assert json.loads(say(*first)[1]) == {"name": "monitor-execution", "is_new": True}
    assert json.loads(say(*first)[1]) == {"name": "monitor-execution", "is_new": False}
    assert (
        say(
            "create", "monitor-execution", "--task", "binance.auto_close", "--min-interval", "3", "--expect-every", "2"
        )[0]
        == 0
    )
    signal = shown(say, "monitor-execution")
    assert (signal["min_interval_s"], signal["expect_every_s"], signal["fence"]) == (3, 2, 0)
    assert [each["name"] for each in json.loads(say("list", "--json")[1])] == ["monitor-execution"]
    assert say("drop", "monitor-execution")[0] == 0
    assert json.loads(say("list", "--json")[1]) == []


def test_a_job_by_the_clock_keeps_its_payload_to_the_byte(say: Say) -> None:
    made = say("create", "nightly", "--task", "job", "--type", "clean", "--payload", '{"a":  1}', "--cron", "0 3 * * *")
    assert made[0] == 0
    assert '"payload":{"a":  1}' in say("show", "nightly", "--json")[1]
    assert shown(say, "nightly")["next_at"] is not None
    assert "0 3 * * *" in say("list")[1]


def test_the_secret_of_a_webhook_is_shown_once(say: Say) -> None:
    made = ("create", "hook", "--task", "webhook", "--url", "https://example.org/x", "--json")
    secret = json.loads(say(*made)[1])["secret"]
    assert "secret" not in json.loads(say(*made)[1])
    assert secret not in say("show", "hook", "--json")[1]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("x", "--task", "job"), "the task job needs"),
        (("x", "--task", "nobody.knows"), "no such integration"),
        (("x", "--task", "whatever"), "a task is"),
        (("x", "--task", "command", "--command", "rm"), "allow no command"),
        (("x", "--task", "webhook"), "needs the address"),
        (("x", "--task", "job", "--type", "t", "--payload", "{"), "not JSON"),
        (("x", "--task", "job", "--type", "t", "--cron", "61 * * * *"), "cron"),
        (("a b", "--task", "job", "--type", "t"), "name"),
    ],
)
def test_what_cannot_be_is_said_in_a_line(say: Say, options: tuple[str, ...], said: str) -> None:
    status, _, err = say("create", *options)
    assert status == 1
    assert said in err


def test_a_command_that_the_settings_name_can_be_chosen(say: Say) -> None:
    assert say("create", "tidy", "--task", "command", "--command", "tidy")[0] == 0
    assert say("show", "none")[0] == 1
