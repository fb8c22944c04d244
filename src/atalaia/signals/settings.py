"""Settings of signals."""

from atalaia.core.settings import Setting
from atalaia.core.translations import N_

SETTINGS = (
    Setting(
        "signals.lease_s",
        "float",
        30.0,
        N_("Seconds after which the lock of a run whose process died is free again; a run that goes on renews it."),
        title=N_("Lock of a dead run free after"),
        minimum=1,
        maximum=3600,
    ),
    Setting(
        "signals.failures_to_incident",
        "int",
        5,
        N_("Failed runs in a row from which on it is an incident."),
        title=N_("Failed runs until an incident"),
        minimum=1,
        maximum=1000,
    ),
    Setting(
        "signals.kept_days",
        "int",
        90,
        N_("Days that runs and counts of signals are kept."),
        title=N_("Runs kept for"),
        minimum=1,
        maximum=3660,
    ),
    Setting(
        "signals.commands",
        "table",
        {},
        N_(
            "Command lines that signals may run, by name: a list of words, or a table with run, timeout_s and folder. "
            "Never on the page: who can change a page must not get a shell."
        ),
        title=N_("Commands"),
        on_page=False,
    ),
)
