"""What the guides say can be typed: commands and options that are there, files that are there."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from atalaia.cli import build
from tests.architecture.tracked import ROOT, text_files

PAGES = [(path, text) for path, text in text_files() if path.suffix == ".md"]
_BLOCK = re.compile(r"```(?:bash|sh|console|powershell)\n(.*?)```", re.DOTALL)
_LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")


def lines_of_commands(text: str) -> Iterator[str]:
    for block in _BLOCK.findall(text):
        yield from re.sub(r"[\\`]\n\s*", " ", block).splitlines()


def calls_of_atalaia(line: str) -> Iterator[list[str]]:
    """The words after each `atalaia` that starts a command in the line."""
    for part in re.split(r"\||&&|;", line.partition(" #")[0]):
        words = shlex.split(part, comments=True)
        places = [number for number, word in enumerate(words) if Path(word).name == "atalaia"]
        if places and all(
            word == "sudo" or word.startswith("-") or "=" in word or word == "atalaia" for word in words[: places[0]]
        ):
            yield words[places[0] + 1 :]


def problem(words: list[str]) -> str | None:
    command: Any = typer.main.get_command(build())
    if words[:1] == ["agent"]:
        return None  # its options are the agent's own: tests/unit/agent
    while words and hasattr(command, "commands"):
        if words[0].startswith("-"):
            return None
        if words[0] not in command.commands:
            return f"no command {words[0]}"
        command, words = command.commands[words[0]], words[1:]
    known = {"--help", *(name for parameter in command.params for name in parameter.opts)}
    options = [word.partition("=")[0] for word in words if word.startswith("--")]
    return next((f"no option {option}" for option in options if option not in known), None)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page[0]))
def test_every_command_in_a_guide_is_there(page: tuple[Path, str]) -> None:
    found = {
        " ".join(words): problem(words)
        for line in lines_of_commands(page[1])
        for words in calls_of_atalaia(line)
        if words
    }
    assert {line: wrong for line, wrong in found.items() if wrong} == {}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page[0]))
def test_every_link_leads_somewhere(page: tuple[Path, str]) -> None:
    path, text = page
    without_code = re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)
    targets = _LINK.findall(without_code)
    assert [target for target in targets if not (ROOT / path.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page[0]))
def test_every_curl_that_sends_json_to_the_hub_says_that_it_is(page: tuple[Path, str]) -> None:
    """A guide's line without the header was answered with 415, since curl calls its data a form."""
    sent = [line for line in lines_of_commands(page[1]) if "curl" in line and "/api/" in line and " -d " in line]
    assert [line for line in sent if "Content-Type: application/json" not in line] == []
