"""What recurs for jobs."""

from collections.abc import Sequence

from atalaia.jobs.service import JobsService
from atalaia.jobs.service.pulse import PERIOD_S as PULSE_PERIOD_S
from atalaia.sdk.contribution import Loop

REAP_PERIOD_S = 1.0
LOOK_PERIOD_S = 10.0
WORKERS_PERIOD_S = 5.0
CLEAR_PERIOD_S = 300.0
QUIET_PERIOD_S = 30.0


def job_loops(jobs: JobsService) -> Sequence[Loop]:
    return (
        Loop("jobs.pulse", PULSE_PERIOD_S, jobs.pulse.round, leader_only=False, wake=jobs.pulse.wake),
        Loop("jobs.reap", REAP_PERIOD_S, jobs.reaper.round),
        Loop("jobs.news", QUIET_PERIOD_S, jobs.news.tell, leader_only=False, wake=jobs.news.wake),
        Loop("jobs.look", LOOK_PERIOD_S, jobs.counting.look, leader_only=False),
        Loop("jobs.workers", WORKERS_PERIOD_S, jobs.workers.keep_seen, leader_only=False),
        Loop("jobs.clear_away", CLEAR_PERIOD_S, jobs.control.clear_away),
    )
