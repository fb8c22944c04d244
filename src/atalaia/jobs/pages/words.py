"""Words for what a job, a step and a worker are, with the state whose shape and colour they have."""

import re
from collections.abc import Mapping
from typing import Final

from atalaia.core.translations import N_, Catalogue, Translator
from atalaia.jobs.model.states import State

# state -> (the state of the pages, a word)
STATES: Final = {
    State.WAITING: ("paused", N_("Waiting")),
    State.SNOOZED: ("paused", N_("Put off")),
    State.RETRYING: ("degraded", N_("Will be tried again")),
    State.LEASED: ("maintenance", N_("Running")),
    State.RESOLVING: ("unknown", N_("Finding out")),
    State.SUCCEEDED: ("up", N_("Completed")),
    State.FAILED: ("down", N_("Failed")),
    State.DEAD: ("down", N_("Dead letter")),
    State.UNKNOWN: ("unknown", N_("Outcome unknown")),
    State.CANCELLED: ("paused", N_("Cancelled")),
}
SHAPES: Final = {str(state): shape for state, (shape, _) in STATES.items()}
WORDS: Final = {str(state): word for state, (_, word) in STATES.items()}
STEP_STATES: Final = {
    "running": ("maintenance", N_("Running")),
    "done": ("up", N_("Finished")),
    "failed": ("down", N_("Failed")),
    "irreversible": ("degraded", N_("Under way, can't be undone")),
    "unknown": ("unknown", N_("Unknown")),
    "broken off": ("degraded", N_("Broken off")),
}
WORKER_STATES: Final = {
    "working": ("up", N_("Working")),
    "idle": ("up", N_("Idle")),
    "draining": ("maintenance", N_("Draining")),
    "stale": ("down", N_("Too old")),
    "silent": ("unknown", N_("Silent")),
}
# (a part that must be there, the whole text as a pattern, its translation)
Pattern = tuple[str, re.Pattern[str], str]
_PLACE: Final = re.compile(r"\{(\w+)\}")
_LEAST_LITERAL: Final = 8
_DEPTH: Final = 3
# A worker says what it likes at any length, and a pattern with several places takes long over much text.
_LONGEST_SAID: Final = 2_000


def retold(text: str, translator: Translator, *, depth: int = _DEPTH) -> str:
    """An English text that was kept with its values filled in, in the reader's language, where its template is known."""
    if not text or translator.locale == "en" or len(text) > _LONGEST_SAID:
        return text
    exact = translator.translate(text)
    if exact != text or depth == 0:
        return exact
    for literal, pattern, said in _patterns(translator):
        if literal in text and (found := pattern.fullmatch(text)):
            values = {name: retold(value, translator, depth=depth - 1) for name, value in found.groupdict().items()}
            return _filled(said, values)
    return text


def _filled(said: str, values: Mapping[str, str]) -> str:
    return _PLACE.sub(lambda found: values.get(found[1], found[0]), said)


# Made once for a catalogue, which is kept beside so that no other one can have its id.
_made: dict[int, tuple[Catalogue, list[Pattern]]] = {}


def _patterns(translator: Translator) -> list[Pattern]:
    """Those with the most words of their own first."""
    kept = _made.get(id(translator.catalogue))
    if kept is None:
        kept = _made[id(translator.catalogue)] = (translator.catalogue, _patterns_of(translator.catalogue))
    return kept[1]


def _patterns_of(catalogue: Catalogue) -> list[Pattern]:
    found = []
    for msgid, said in catalogue.texts.items():
        literals = _PLACE.split(msgid)[::2]
        weight = sum(map(len, literals))
        if len(literals) > 1 and weight >= _LEAST_LITERAL:
            found.append((weight, max(literals, key=len), _pattern_of(msgid), said))
    found.sort(key=lambda each: -each[0])
    return [each[1:] for each in found]


def _pattern_of(msgid: str) -> re.Pattern[str]:
    parts, seen = [], set[str]()
    for index, part in enumerate(_PLACE.split(msgid)):
        if index % 2 == 0:
            parts.append(re.escape(part))
        elif part in seen:
            parts.append(f"(?P={part})")
        else:
            seen.add(part)
            parts.append(f"(?P<{part}>.*?)")
    return re.compile("".join(parts), re.DOTALL)
