"""Settings of the slice."""

from atalaia.core.settings import Setting
from atalaia.core.translations import N_

KEEP_DAYS = "upstreams.keep_days"

SETTINGS: tuple[Setting, ...] = (
    Setting(
        KEEP_DAYS,
        "int",
        14,
        N_("How many days the counts and failures of calls to third parties are kept."),
        title=N_("Counts and failures kept for"),
        minimum=1,
        maximum=400,
    ),
)
