"""How a signal and its runs stand, in the states and the words of the pages."""

from typing import Final

import msgspec

from atalaia.core.translations import N_
from atalaia.signals.model.answers import Answer, answer_of
from atalaia.signals.model.rate import Level
from atalaia.signals.model.runs import Outcome
from atalaia.signals.model.signals import SignalOut

RUNNING: Final = "running"
# outcome of a run -> (the state of the pages, a word)
OUTCOMES: Final = {
    RUNNING: ("maintenance", N_("Running")),
    str(Outcome.SUCCEEDED): ("up", N_("Went well")),
    str(Outcome.NOTHING): ("paused", N_("Nothing to do")),
    str(Outcome.FAILED): ("down", N_("Failed")),
    str(Outcome.LOST): ("degraded", N_("Cut short")),
}
WORST_FIRST: Final = ("down", "degraded", "unknown", "paused", "up")
STATE_WORDS: Final = {
    "down": N_("Failing"),
    "degraded": N_("Degraded"),
    "unknown": N_("Not heard of yet"),
    "paused": N_("Paused"),
    "up": N_("In order"),
}
ANSWER_WORDS: Final = {
    Answer.STARTED: N_("Run begun"),
    Answer.SKIPPED: N_("Skipped"),
    Answer.THROTTLED: N_("Throttled"),
    Answer.REFUSED: N_("Key refused"),
    Answer.INVALID: N_("Not understood"),
    Answer.FAILED: N_("Failed"),
}


class Standing(msgspec.Struct, frozen=True):
    """`state` of the pages; `reason` is English, a key of the translations, with `{n}` for `n`."""

    state: str
    word: str
    reason: str = ""
    n: int = 0


def standing_of(signal: SignalOut) -> Standing:
    """The worst that can be said of it."""
    if not signal.is_known:
        return Standing("down", N_("Task missing"), N_("Its task is not there: is the integration installed?"))
    if signal.is_paused:
        return Standing("paused", N_("Paused"), N_("It is answered with 409, and its schedule rests."))
    return _of_trouble(signal) or _of_answer(signal)


def _of_trouble(signal: SignalOut) -> Standing | None:
    if signal.level is Level.FAILING:
        return Standing("down", N_("Failing"), N_("Too few of its signals are answered."))
    if signal.failures > 1:
        return Standing("down", N_("Failing"), N_("{n} runs in a row have failed."), signal.failures)
    if signal.failures:
        return Standing("degraded", N_("Last run failed"), N_("The next one will show whether it goes on."))
    if signal.level is Level.DEGRADED:
        return Standing("degraded", N_("Degraded"), N_("Some of its signals are not answered."))
    return None


def _of_answer(signal: SignalOut) -> Standing:
    if signal.last_answer is None:
        if signal.last_started_at is not None:
            return Standing("up", N_("In order"))
        if signal.cron is not None:
            return Standing("unknown", N_("Waiting"), N_("Its first slot is still to come."))
        return Standing("unknown", N_("Not heard of yet"), N_("No signal has come in yet."))
    if answer_of(signal.last_answer.status) is Answer.REFUSED:
        return Standing("degraded", N_("Key refused"), N_("The last signal came with a key that is not taken."))
    return Standing("up", N_("In order"))
