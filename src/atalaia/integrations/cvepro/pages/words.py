"""What states and doubts are called, and which shape and colour they have."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from atalaia.core.errors import AtalaiaError
from atalaia.core.translations import N_
from atalaia.integrations.cvepro.model import sessions
from atalaia.integrations.cvepro.model.chargers import Status
from atalaia.integrations.cvepro.model.feeds import Line
from atalaia.integrations.cvepro.model.imports import ImportState

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
    "free": ("up", N_("Free")),
    "charging": ("maintenance", N_("In use")),
    "idle": ("paused", N_("Plugged in, idle")),
    "other": ("unknown", N_("Not known")),
}
LINES: Final = {
    Line.ONLINE: ("up", N_("Online")),
    Line.CONNECTING: ("degraded", N_("Connecting…")),
    Line.OFFLINE: ("down", N_("Offline since {at}")),
}
DOUBTS: Final = sessions.DOUBTS
SESSION_STATES: Final = (
    ("active", N_("Under way")),
    ("ended", N_("Ended")),
    ("doubtful", N_("With doubtful figures")),
)
IMPORT_STATES: Final = {
    str(ImportState.RUNNING): ("maintenance", N_("Under way")),
    str(ImportState.DONE): ("up", N_("Done")),
    str(ImportState.STOPPED): ("paused", N_("Stopped")),
}
SPEEDS: Final = {"FAST": N_("Fast"), "SLOW": N_("Slow")}


@dataclass(frozen=True, slots=True)
class Said:
    """A text that the template translates."""

    text: str
    params: Mapping[str, Any] = field(default_factory=dict)


def said(error: AtalaiaError) -> Said:
    return Said(error.message, error.params)
