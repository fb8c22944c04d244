"""What can be set about samples."""

from atalaia.core.settings import Setting
from atalaia.core.translations import N_

SETTINGS = (
    Setting(
        "metrics.raw_days",
        "int",
        7,
        N_("Days that samples are kept as they came."),
        title=N_("Samples kept for"),
        minimum=1,
        maximum=400,
    ),
    Setting(
        "metrics.minute_days",
        "int",
        90,
        N_("Days that roll-ups by the minute are kept."),
        title=N_("Minute roll-ups kept for"),
        minimum=1,
        maximum=4000,
    ),
    Setting(
        "metrics.hour_days",
        "int",
        730,
        N_("Days that roll-ups by the hour are kept."),
        title=N_("Hour roll-ups kept for"),
        minimum=1,
        maximum=10000,
    ),
    Setting(
        "metrics.series_per_sender",
        "int",
        # Fewer than 10,000: one label with a changing value in it would otherwise fill the store with series.
        9_999,
        N_("Series that one API key may send within the days that samples are kept."),
        title=N_("Series per API key"),
        minimum=1,
    ),
    Setting(
        "metrics.own_interval_s",
        "float",
        15.0,
        N_("Seconds between samples of the hub's own metrics."),
        title=N_("Own metrics every"),
        minimum=1,
    ),
    Setting(
        "metrics.seal_every_s",
        "float",
        600.0,
        N_("Seconds between two sealings of samples into chunks; until then they are in memory and in the log."),
        title=N_("Samples sealed every"),
        minimum=1,
    ),
    Setting(
        "metrics.forward_targets",
        "list",
        (),
        N_("Addresses of VictoriaMetrics that all samples are forwarded to, separated by commas."),
        title=N_("Forward samples to"),
    ),
    Setting(
        "metrics.forward_max_mb",
        "int",
        2_000,
        N_("Megabytes that may wait for a target; beyond it the oldest are dropped and counted."),
        title=N_("Forwarding queue at most"),
        minimum=1,
    ),
)
