"""What an agent says of a failure is told in the reader's language: phones got English details on Portuguese channels."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import atalaia_agent
from atalaia.core.translations import Translations
from atalaia.watch.model.agent_words import SAID
from atalaia.watch.model.reasons import shown_reason

SOURCE = Path(atalaia_agent.__file__).parent
CALLS = {"ProbeError", "_unmet", "Closed", "degrade"}
FIELD = re.compile(r"\{[^{}]*\}")
# Whoever set the check up reads these where he does so, or they hold nothing but what another program said.
NOT_FOR_READERS = {"bad_option", "internal_error", "query_failed", "connection_failed", "authentication_failed"}
# Lists of sentences, and what only who looks after the machine or the probe can read.
LEFT = {
    "{}",
    "{}: {}",
    "closed",
    "headers: {} is not allowed",
    "content-length is {}",
    "not a chunk size: {}",
    "not an exposition: line {}: {}",
    "this agent's Python has no {}: pip install {} ({})",
    "systemctl answered in another form",
    "pm2 jlist did not answer with a list",
    "the list of containers has another form",
}


def said() -> Iterator[tuple[str, str]]:
    """Each sentence of the agent's source, its values as {}, and where it stands."""
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in CALLS:
                yield from ((text, f"{path.name}:{node.lineno}") for text in sentences(node))


def sentences(call: ast.Call) -> Iterator[str]:
    code = call.args[0] if call.args else None
    if isinstance(code, ast.Constant) and code.value in NOT_FOR_READERS:
        return
    last = call.args[-1] if call.args else None
    if isinstance(last, ast.Constant) and isinstance(last.value, str):
        yield last.value
    elif isinstance(last, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in last.values)


def test_every_sentence_of_the_agents_is_one_that_readers_are_told() -> None:
    known = {FIELD.sub("{}", text) for text in SAID}
    # One that is cut short says so behind it; where a value ends one sentence, the next may begin.
    missing = {text: where for text, where in said() if text not in known | LEFT and not is_made_of(text, known)}
    assert not missing


def is_made_of(text: str, known: set[str]) -> bool:
    return (text.endswith("{}") and text.removesuffix("{}") in known) or text.replace("{} {}", "{}") in known


@pytest.mark.parametrize(
    ("kept", "line"),
    [
        (
            "status_mismatch: answered 503 Service Unavailable, expected 200-399",
            "Status HTTP inesperado · respondeu 503 Service Unavailable, esperado 200-399",
        ),
        ("connection_refused: Connection refused", "Conexão recusada"),
        ("timeout: no answer within 2.5 s", "Sem resposta a tempo · sem resposta em 2.5 s"),
        (
            "assertion_failed: header x-a is 'b', expected 'c'",
            "A resposta não é a esperada · o cabeçalho x-a é 'b', esperado 'c'",
        ),
    ],
)
def test_a_portuguese_reader_is_told_in_portuguese(kept: str, line: str) -> None:
    retell = Translations.load().translator("pt-BR").retell
    assert shown_reason(kept, retell).line == line
