"""What states and doubts are called, and which shape and colour they have."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any, Final

from atalaia.core import formats
from atalaia.core.errors import AtalaiaError
from atalaia.core.translations import N_
from atalaia.integrations.cvepro.model import sessions
from atalaia.integrations.cvepro.model.chargers import Status
from atalaia.integrations.cvepro.model.feeds import ACTIVE, TAGS, Line
from atalaia.integrations.cvepro.model.imports import ImportState
from atalaia.integrations.cvepro.model.notices import Fate, NoticeKind

SILENT: Final = ("down", N_("No heartbeat"))
UNSAID: Final = ("unknown", N_("Not told"))

# Status of a connector -> (state of the badge, word). Who charges is not in trouble: the diamond is for what is in use.
STATUS: Final = {
    str(Status.AVAILABLE): ("up", N_("Free")),
    str(Status.PREPARING): ("maintenance", N_("Preparing")),
    str(Status.CHARGING): ("maintenance", N_("Charging")),
    str(Status.SUSPENDED_EV): ("paused", N_("Paused by the car")),
    str(Status.SUSPENDED_EVSE): ("paused", N_("Paused by the charger")),
    str(Status.FINISHING): ("paused", N_("Finishing")),
    str(Status.RESERVED): ("paused", N_("Reserved")),
    str(Status.OCCUPIED): ("maintenance", N_("Occupied")),
    str(Status.UNAVAILABLE): ("degraded", N_("Out of service")),
    str(Status.FAULTED): ("down", N_("Faulted")),
}
# For counts and the filter: what a person looks for.
GROUPS: Final = {
    "trouble": ("down", N_("In trouble")),
    "idle": ("paused", N_("Plugged in, idle")),
    "charging": ("maintenance", N_("In use")),
    "free": ("up", N_("Free")),
    "other": ("unknown", N_("Not known")),
}
LINES: Final = {
    Line.ONLINE: ("up", N_("Online")),
    Line.CONNECTING: ("degraded", N_("Connecting…")),
    Line.OFFLINE: ("down", N_("Offline since {at}")),
}
# How news comes: is the live connection up?
WAYS: Final = {True: N_("live"), False: N_("polling")}
OFFERED: Final = {ACTIVE: N_("Sessions under way"), TAGS: N_("RFID tags")}
DOUBTS: Final = sessions.DOUBTS
SESSION_STATES: Final = (
    ("active", N_("Under way")),
    ("ended", N_("Ended")),
    ("doubtful", N_("With doubtful figures")),
    ("nobody", N_("Of no known flat")),
    ("no_beginning", N_("Without a beginning")),
    ("aside", N_("Told twice, not counted")),
)
IMPORT_STATES: Final = {
    str(ImportState.RUNNING): ("maintenance", N_("Under way")),
    str(ImportState.DONE): ("up", N_("Imported")),
    str(ImportState.STOPPED): ("paused", N_("Stopped")),
}
WEEKDAYS: Final = (N_("Mon"), N_("Tue"), N_("Wed"), N_("Thu"), N_("Fri"), N_("Sat"), N_("Sun"))
MONTHS: Final = (
    *(N_("Jan"), N_("Feb"), N_("Mar"), N_("Apr"), N_("May"), N_("Jun")),
    *(N_("Jul"), N_("Aug"), N_("Sep"), N_("Oct"), N_("Nov"), N_("Dec")),
)
NOTICES: Final = {
    str(NoticeKind.STARTED): N_("My charging begins"),
    str(NoticeKind.FULL): N_("My car is full and still plugged in"),
    str(NoticeKind.ENDED): N_("My charging has ended, with kWh and cost"),
    str(NoticeKind.INTERRUPTED): N_("My charging was interrupted"),
    str(NoticeKind.CHARGER_FREE): N_("A charger is free that I wait for"),
}
# The same for who looks after them.
NOTICE_KINDS: Final = {
    str(NoticeKind.STARTED): N_("Charging began"),
    str(NoticeKind.FULL): N_("Car is full"),
    str(NoticeKind.ENDED): N_("Charging ended"),
    str(NoticeKind.INTERRUPTED): N_("Charging interrupted"),
    str(NoticeKind.CHARGER_FREE): N_("Charger is free"),
}
NOTICE_FATES: Final = {
    str(Fate.QUEUED): ("maintenance", N_("On its way")),
    str(Fate.DELIVERED): ("up", N_("Delivered")),
    str(Fate.REFUSED): ("down", N_("Not on WhatsApp")),
    str(Fate.UNKNOWN): ("unknown", N_("Unknown if sent")),
    str(Fate.FAILED): ("down", N_("Given up")),
    str(Fate.EXPIRED): ("paused", N_("Too late, not sent")),
    str(Fate.QUIET): ("paused", N_("Quiet hours, not sent")),
    str(Fate.NOT_THERE): ("paused", N_("Not tried: not on WhatsApp")),
    str(Fate.NO_WAY): ("degraded", N_("WhatsApp not set up")),
    str(Fate.WITHDRAWN): ("paused", N_("Switched off, not sent")),
}
SPEEDS: Final = {"FAST": N_("Fast"), "SLOW": N_("Slow")}


@dataclass(frozen=True, slots=True)
class Said:
    """A text that the template translates."""

    text: str
    params: Mapping[str, Any] = field(default_factory=dict)


def days_said(days: Sequence[int]) -> list[tuple[str, str]]:
    """Runs of days as their first and last words; none for all days."""
    if len(days) == len(WEEKDAYS):
        return []
    runs: list[list[int]] = []
    for day in days:
        if runs and runs[-1][1] == day - 1:
            runs[-1][1] = day
        else:
            runs.append([day, day])
    return [(WEEKDAYS[first - 1], WEEKDAYS[last - 1]) for first, last in runs]


def noon(day: date, timezone: str) -> datetime:
    """For a page that shows the day: the same day in the reader's zone."""
    return datetime.combine(day, time(12), formats.zone(timezone))


def said(error: AtalaiaError) -> Said:
    return Said(error.message, error.params)
