"""What can be set about pings."""

from atalaia.core.settings import Setting
from atalaia.core.translations import N_

SETTINGS = (
    Setting(
        "pings.ids_days",
        "int",
        7,
        N_("Days that the ids of pings are kept; one that comes again after that counts again."),
        title=N_("Ping ids kept for"),
        minimum=1,
        maximum=400,
    ),
    Setting(
        "pings.reports_days",
        "int",
        90,
        N_("Days that round trips are kept one by one."),
        title=N_("Round trips kept for"),
        minimum=1,
        maximum=400,
    ),
)
