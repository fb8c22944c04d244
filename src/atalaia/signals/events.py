"""What signals tell those above, each in the transaction that made it so."""

from atalaia.core.events import Event


class SignalUnanswered(Event, frozen=True, kw_only=True):
    """Too few of its signals are answered. Told once, until `SignalAnswered`."""

    signal: str
    answered: int
    expected: int


class SignalAnswered(Event, frozen=True, kw_only=True):
    """They are answered again, or the signal is no more."""

    signal: str


class SignalRunsFailing(Event, frozen=True, kw_only=True):
    """So many runs in a row have failed or were lost; told with each of them from a number on."""

    signal: str
    failures: int
    reason: str  # redacted


class SignalRunsWell(Event, frozen=True, kw_only=True):
    """A run went well after some that failed, or the signal is no more."""

    signal: str


class SignalRefused(Event, frozen=True, kw_only=True):
    """One place goes on sending with a key that is not taken. Told once, until `SignalRefusedNoMore`."""

    signal: str
    place: str
    times: int


class SignalRefusedNoMore(Event, frozen=True, kw_only=True):
    """Nothing has been refused from there for a while, or the signal is no more."""

    signal: str
    place: str
