"""Reasons of failures in the reader's language."""

import re
from pathlib import Path

import pytest

from atalaia.watch.model.reasons import REASONS, Reason, shown_reason

AGENT = Path(__file__).resolve().parents[3] / "src" / "atalaia_agent"
PORTUGUESE = {
    "The request failed": "A requisição falhou",
    "No answer": "Sem resposta",
    "Unexpected HTTP status": "Status HTTP inesperado",
    "The job failed": "A tarefa falhou",
}


def _translate(text: str) -> str:
    return PORTUGUESE.get(text, text)


@pytest.mark.parametrize(
    ("kept", "shown"),
    [
        ("status_mismatch: answered 500", Reason("Status HTTP inesperado", "answered 500")),
        ("timeout", Reason("No answer in time")),
        ("exit status 3: disk full", Reason("A tarefa falhou", "exit status 3: disk full")),
        ("cpu_ratio = 0.97", Reason("cpu_ratio = 0.97")),
        ("The request failed", Reason("A requisição falhou")),
        ("timeout: No answer", Reason("No answer in time", "Sem resposta")),
        (None, Reason("")),
    ],
)
def test_a_code_is_shown_as_words_and_what_was_said_as_detail(kept: str | None, shown: Reason) -> None:
    assert shown_reason(kept, _translate) == shown


def test_every_code_that_an_agent_reports_has_its_words() -> None:
    source = "\n".join(path.read_text(encoding="utf-8") for path in AGENT.rglob("*.py"))
    codes = set(re.findall(r'(?:ProbeError|degrade)\(\s*"([a-z_]+)"', source)) | set(
        re.findall(r'errno\.\w+: "([a-z_]+)"', source)
    )
    assert codes
    assert codes <= set(REASONS)
