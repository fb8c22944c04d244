"""What follows what, as docs/states.md shows it; and it is decided for everything that can be said."""

from itertools import product
from pathlib import Path

import pytest

from atalaia.jobs.model.machine import RULES, Facts, Word, decide
from atalaia.jobs.model.retrying import retry_delay_s
from atalaia.jobs.model.states import NONE, OPEN, STATUS, TAKEN, State, state_of
from atalaia.jobs.model.tokens import fingerprint, read_token, write_token

PAGE = Path(__file__).parents[3] / "docs" / "states.md"
OF_THE_HUB_ALONE = {Word.UNRESOLVED}


def test_the_table_is_the_one_on_the_page() -> None:
    text = PAGE.read_text(encoding="utf-8").split("<!-- table: job -->")[1].strip()
    lines = [line for line in text.split("\n\n")[0].splitlines() if line.startswith("|")]
    assert [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines[2:]] == [
        rule.cells() for rule in RULES
    ]


def _all_facts() -> list[Facts]:
    choices = product((False, True), (0, 2), (0, 2), (NONE, OPEN, TAKEN), (False, True), (False, True))
    return [
        Facts(
            is_resolve=is_resolve, attempts=attempts, max_attempts=3, lost=lost, irreversible=irreversible,
            is_cancelled=is_cancelled, can_resolve=can_resolve,
        )
        for is_resolve, attempts, lost, irreversible, is_cancelled, can_resolve in choices
    ]  # fmt: skip


@pytest.mark.parametrize("word", [word for word in Word if word not in OF_THE_HUB_ALONE])
def test_something_follows_from_every_word(word: Word) -> None:
    for facts in _all_facts():
        assert decide(facts, word).state in State


def test_nothing_that_may_have_happened_waits_to_be_run_again() -> None:
    """Unless its worker says that it surely did not happen, and then the step is not open any more."""
    for facts in _all_facts():
        if facts.irreversible != NONE and not facts.is_resolve:
            for word in set(Word) - {Word.UNRESOLVED, Word.ASKED}:
                after = decide(facts, word).state
                assert after not in {State.WAITING, State.SNOOZED, State.RETRYING}, (facts, word)


def test_every_state_has_one_of_the_five_statuses() -> None:
    assert set(STATUS) == set(State)
    assert state_of(3, 0, is_resolve=True) is State.RESOLVING


def test_a_retry_waits_longer_each_time_and_as_long_as_it_was_told() -> None:
    waits = [retry_delay_s(n, retry_after_s=None, chance=1.0) for n in range(1, 12)]
    assert waits[:4] == [5.0, 10.0, 20.0, 40.0]
    assert waits[-1] == 900.0
    assert retry_delay_s(3, retry_after_s=None, chance=0.0) == 10.0
    assert retry_delay_s(3, retry_after_s=7.5) == 7.5


def test_a_token_comes_back_as_it_was_made_and_nothing_else_is_one() -> None:
    assert read_token(write_token(7, 3, "abc-_9")) == (7, 3, "abc-_9")
    for text in ("", "x", "1", "1.2", "1.x.y", "0.1.a", "-1.1.a", f"{2**70}.1.a", "1.1.é"):
        with pytest.raises(Exception, match="token"):
            read_token(text)
    assert fingerprint(b"a", b"b") != fingerprint(b"ab", b"")
