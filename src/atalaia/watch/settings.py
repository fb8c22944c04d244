"""Settings of watch."""

from atalaia.core.settings import Setting
from atalaia.core.translations import N_

SETTINGS = (
    Setting(
        "watch.history_days",
        "int",
        400,
        N_("For how many days the states and events of checks are kept; uptime is made from these."),
        title=N_("History of checks kept for"),
        minimum=91,
        maximum=3660,
    ),
)
