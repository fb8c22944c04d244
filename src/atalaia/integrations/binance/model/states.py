"""What becomes of an operation: one table, which docs/states.md shows."""

from enum import StrEnum
from typing import Final, NamedTuple


class State(StrEnum):
    ACTIVE = "active"
    CLOSING = "closing"
    PARTIALLY_CLOSED = "partially_closed"
    CLOSED = "closed"


class Word(StrEnum):
    """What is known of its close, by the exchange's own word."""

    WANTED = "it is to be closed"
    UNKNOWN = "nothing is known to be done, and of an order it is not known"
    NOTHING = "the exchange confirms that nothing was done"
    PART = "some was closed, and some was not"
    PART_UNKNOWN = "some was closed, and of an order it is not known"
    BOTH = "both legs are closed"


class Rule(NamedTuple):
    state: State
    word: Word
    then: State

    def cells(self) -> tuple[str, ...]:
        return str(self.state), str(self.word), str(self.then)


RULES: Final = (
    Rule(State.ACTIVE, Word.WANTED, State.CLOSING),
    Rule(State.CLOSING, Word.UNKNOWN, State.CLOSING),
    Rule(State.CLOSING, Word.NOTHING, State.ACTIVE),
    Rule(State.CLOSING, Word.PART, State.PARTIALLY_CLOSED),
    Rule(State.CLOSING, Word.PART_UNKNOWN, State.PARTIALLY_CLOSED),
    Rule(State.CLOSING, Word.BOTH, State.CLOSED),
    Rule(State.PARTIALLY_CLOSED, Word.PART_UNKNOWN, State.PARTIALLY_CLOSED),
    Rule(State.PARTIALLY_CLOSED, Word.PART, State.PARTIALLY_CLOSED),
    Rule(State.PARTIALLY_CLOSED, Word.BOTH, State.CLOSED),
)
_THEN: Final = {(rule.state, rule.word): rule.then for rule in RULES}
DRIVEN: Final = (State.CLOSING, State.PARTIALLY_CLOSED)


def then(state: State, word: Word) -> State:
    """Raises: ValueError: it can't be said of one in this state."""
    try:
        return _THEN[state, word]
    except KeyError:
        raise ValueError(f"{word} of one that is {state}") from None
