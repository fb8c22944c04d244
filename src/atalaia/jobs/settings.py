"""Settings of jobs."""

from atalaia.core.settings import Setting
from atalaia.core.translations import N_

SETTINGS = (
    Setting(
        "jobs.min_worker_version",
        "str",
        "",
        N_("The oldest version of a worker that is given jobs, such as 0.2.0. Empty: any."),
        title=N_("Oldest version of workers"),
    ),
    Setting(
        "jobs.resolve_minutes",
        "float",
        10.0,
        N_("Minutes that an unknown outcome waits for a worker that can find it out."),
        title=N_("Wait for unknown outcomes"),
        minimum=0.1,
        maximum=10_080,
    ),
    Setting(
        "jobs.ended_days",
        "int",
        90,
        N_("Days that ended jobs are kept, with their steps."),
        title=N_("Ended jobs kept for"),
        minimum=1,
        maximum=3660,
    ),
    Setting(
        "jobs.idempotency_hours",
        "int",
        48,
        N_("Hours within which the same Idempotency-Key means the same job."),
        title=N_("Repeats recognised for"),
        minimum=1,
        maximum=8784,
    ),
)
