"""What becomes of a leased job: one table, which docs/states.md shows. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from atalaia.jobs.model.states import NONE, OPEN, TAKEN, State

MAX_LOST_LEASES: Final = 3


class Word(StrEnum):
    """What is said of a lease: by its worker, or by the hub (the last four)."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    FAILED_FOR_GOOD = "failed for good"
    SNOOZED = "snoozed"
    RELEASED = "released"
    CANCELLED = "cancelled"
    UNCERTAIN = "uncertain"
    LAPSED = "lapsed"  # no renewal within its time to live
    OVERRAN = "overran"  # longer than the type allows
    UNRESOLVED = "unresolved"  # nobody came to find out
    ASKED = "asked to cancel"  # by a person, while no worker has it


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Of a job, when a word is said. `attempts` are those that failed before, `lost` the leases lost before."""

    is_resolve: bool = False
    attempts: int = 0
    max_attempts: int = 1
    lost: int = 0
    irreversible: int = NONE
    is_cancelled: bool = False  # somebody asked for it
    can_resolve: bool = False


CONDITIONS: Final[Mapping[str, Callable[[Facts], bool]]] = {
    "always": lambda _: True,
    "an irreversible step is open": lambda facts: facts.irreversible == OPEN,
    "an irreversible step was taken": lambda facts: facts.irreversible == TAKEN,
    "its type can resolve": lambda facts: facts.can_resolve,
    "cancelling was asked for": lambda facts: facts.is_cancelled,
    "attempts are left": lambda facts: facts.attempts + 1 < facts.max_attempts,
    "it was lost less than twice before": lambda facts: facts.lost + 1 < MAX_LOST_LEASES,
}


class Rule(NamedTuple):
    mode: str
    word: Word
    when: tuple[str, ...]
    then: State

    def cells(self) -> tuple[str, ...]:
        return self.mode, str(self.word), " and ".join(self.when), str(self.then)


_OPEN, _TAKEN, _CAN = "an irreversible step is open", "an irreversible step was taken", "its type can resolve"
_ASKED, _LEFT, _NOT_TWICE = "cancelling was asked for", "attempts are left", "it was lost less than twice before"
_ALWAYS = ("always",)


def _never_blindly(word: Word, *conditions: str) -> tuple[Rule, ...]:
    """An outcome that can't be known is found out, or ends as unknown."""
    rules: list[Rule] = []
    for condition in conditions:
        rules += [
            Rule("run", word, (condition, _CAN), State.RESOLVING),
            Rule("run", word, (condition,), State.UNKNOWN),
        ]
    return tuple(rules)


RULES: Final[tuple[Rule, ...]] = (
    Rule("run", Word.SUCCEEDED, _ALWAYS, State.SUCCEEDED),
    *_never_blindly(Word.FAILED, _OPEN),
    Rule("run", Word.FAILED, (_TAKEN,), State.FAILED),
    Rule("run", Word.FAILED, (_ASKED,), State.CANCELLED),
    Rule("run", Word.FAILED, (_LEFT,), State.RETRYING),
    Rule("run", Word.FAILED, _ALWAYS, State.DEAD),
    Rule("run", Word.FAILED_FOR_GOOD, _ALWAYS, State.FAILED),
    *_never_blindly(Word.SNOOZED, _OPEN, _TAKEN),
    Rule("run", Word.SNOOZED, (_ASKED,), State.CANCELLED),
    Rule("run", Word.SNOOZED, _ALWAYS, State.SNOOZED),
    *_never_blindly(Word.RELEASED, _OPEN, _TAKEN),
    Rule("run", Word.RELEASED, (_ASKED,), State.CANCELLED),
    Rule("run", Word.RELEASED, _ALWAYS, State.WAITING),
    *_never_blindly(Word.CANCELLED, _OPEN, _TAKEN),
    Rule("run", Word.CANCELLED, _ALWAYS, State.CANCELLED),
    Rule("run", Word.UNCERTAIN, (_CAN,), State.RESOLVING),
    Rule("run", Word.UNCERTAIN, _ALWAYS, State.UNKNOWN),
    *_never_blindly(Word.LAPSED, _OPEN, _TAKEN),
    Rule("run", Word.LAPSED, (_ASKED,), State.CANCELLED),
    Rule("run", Word.LAPSED, (_NOT_TWICE,), State.WAITING),
    Rule("run", Word.LAPSED, _ALWAYS, State.DEAD),
    *_never_blindly(Word.OVERRAN, _OPEN, _TAKEN),
    Rule("run", Word.OVERRAN, (_ASKED,), State.CANCELLED),
    Rule("run", Word.OVERRAN, (_LEFT,), State.RETRYING),
    Rule("run", Word.OVERRAN, _ALWAYS, State.DEAD),
    Rule("run", Word.ASKED, _ALWAYS, State.CANCELLED),
    Rule("resolve", Word.SUCCEEDED, _ALWAYS, State.SUCCEEDED),
    Rule("resolve", Word.FAILED_FOR_GOOD, _ALWAYS, State.FAILED),
    Rule("resolve", Word.FAILED, (_ASKED,), State.CANCELLED),
    Rule("resolve", Word.FAILED, (_LEFT,), State.RETRYING),
    Rule("resolve", Word.FAILED, _ALWAYS, State.DEAD),
    Rule("resolve", Word.SNOOZED, (_ASKED,), State.UNKNOWN),
    Rule("resolve", Word.SNOOZED, _ALWAYS, State.RESOLVING),
    Rule("resolve", Word.RELEASED, (_ASKED,), State.UNKNOWN),
    Rule("resolve", Word.RELEASED, _ALWAYS, State.RESOLVING),
    Rule("resolve", Word.CANCELLED, _ALWAYS, State.UNKNOWN),
    Rule("resolve", Word.UNCERTAIN, _ALWAYS, State.UNKNOWN),
    Rule("resolve", Word.LAPSED, (_NOT_TWICE,), State.RESOLVING),
    Rule("resolve", Word.LAPSED, _ALWAYS, State.UNKNOWN),
    Rule("resolve", Word.OVERRAN, _ALWAYS, State.UNKNOWN),
    Rule("resolve", Word.UNRESOLVED, _ALWAYS, State.UNKNOWN),
    Rule("resolve", Word.ASKED, _ALWAYS, State.UNKNOWN),
)
_BY_WORD: Final[dict[tuple[bool, Word], list[Rule]]] = {}
for _rule in RULES:
    _BY_WORD.setdefault((_rule.mode == "resolve", _rule.word), []).append(_rule)

# Words after which the attempt has been used.
_USED: Final = {Word.FAILED, Word.OVERRAN}


class Verdict(NamedTuple):
    """What a job is after the word; `attempts` and `lost` as they are then. A lease lost is no attempt."""

    state: State
    attempts: int
    lost: int


def decide(facts: Facts, word: Word) -> Verdict:
    """The first rule that fits."""
    for rule in _BY_WORD[facts.is_resolve, word]:
        if all(CONDITIONS[name](facts) for name in rule.when):
            return Verdict(
                rule.then,
                facts.attempts + (word in _USED),
                facts.lost + (word is Word.LAPSED),
            )
    raise AssertionError(f"no rule for {word} of {facts}")
