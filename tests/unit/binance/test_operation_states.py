"""The states of an operation, as docs/states.md shows them."""

from itertools import product
from pathlib import Path

import pytest

from atalaia.integrations.binance.model.refusals import MEANINGS, is_refusal, meaning_of, runbook_of
from atalaia.integrations.binance.model.states import DRIVEN, RULES, State, Word, then

PAGE = Path(__file__).parents[3] / "docs" / "states.md"


def test_the_table_is_the_one_on_the_page() -> None:
    text = PAGE.read_text(encoding="utf-8").split("<!-- table: operation -->")[1].strip()
    lines = [line for line in text.split("\n\n")[0].splitlines() if line.startswith("|")]
    assert [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines[2:]] == [
        rule.cells() for rule in RULES
    ]


def test_whatever_is_not_in_the_table_is_refused() -> None:
    said = {(rule.state, rule.word) for rule in RULES}
    for state, word in product(State, Word):
        if (state, word) in said:
            assert then(state, word) in State
        else:
            with pytest.raises(ValueError, match=str(state)):
                then(state, word)


def test_only_what_surely_did_nothing_leads_back() -> None:
    assert [rule.word for rule in RULES if rule.then is State.ACTIVE] == [Word.NOTHING]
    assert [rule.word for rule in RULES if rule.then is State.CLOSED] == [Word.BOTH, Word.BOTH]
    assert State.ACTIVE not in {rule.then for rule in RULES if rule.state is State.PARTIALLY_CLOSED}
    assert set(DRIVEN) == {rule.state for rule in RULES} - {State.ACTIVE}


def test_a_refusal_says_what_it_means_and_what_to_do() -> None:
    for code in (-2022, -2019, -4061):
        assert str(abs(code)) in meaning_of(code).title
        assert MEANINGS[code].what_to_do in runbook_of(code)
    assert meaning_of(-1).title == meaning_of(None).title
    assert not is_refusal(None)
    assert not is_refusal(-1008)
