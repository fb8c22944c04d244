"""What was kept as an English sentence with its values is told in the reader's language after all."""

import time

import pytest

from atalaia.core.retelling import Retelling
from atalaia.core.translations import Translations

TEXTS = {
    "No connection": "Sem conexão",
    "The request failed: {why}": "A requisição falhou: {why}",
    "The request failed: {why} ({n})": "A requisição falhou ({n}): {why}",
    "{a}: {b}": "{b} – {a}",
    "{n} of {n} agents are away": "Os {n} agentes estão fora",
}


@pytest.mark.parametrize(
    ("kept", "told"),
    [
        ("No connection", "Sem conexão"),
        ("The request failed: No connection", "A requisição falhou: Sem conexão"),
        ("The request failed: {x} 50% é", "A requisição falhou: {x} 50% é"),
        ("The request failed: two\nlines", "A requisição falhou: two\nlines"),
        ("The request failed: No connection (3)", "A requisição falhou (3): Sem conexão"),
        ("3 of 3 agents are away", "Os 3 agentes estão fora"),
        ("3 of 4 agents are away", "3 of 4 agents are away"),
        ("ratio: 3", "ratio: 3"),  # hardly a word of ours in it
        ("", ""),
    ],
)
def test_a_sentence_is_recognised_with_its_values(kept: str, told: str) -> None:
    assert Retelling(TEXTS).tell(kept) == told


def test_english_stays_and_long_texts_cost_little() -> None:
    translations = Translations.load()
    sentence = "The receiver answered 503 Service Unavailable."
    assert translations.translator("en").retell(sentence) == sentence
    portuguese = translations.translator("pt-BR")
    assert portuguese.retell(sentence) != sentence
    began = time.process_time()
    portuguese.retell("The receiver answered " * 80)
    portuguese.retell("x" * 100_000)
    assert time.process_time() - began < 2
