"""Kills under fleet commands: hub, workers and the third party die at random, seeded moments while jobs run.

1. Each kill has a job of its own for a vehicle of its own; the job before it may still run.
2. What was killed comes back after a moment; the third party's book is in its file.
3. At the end every job has to have ended, and is held against the book.
"""

import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.acceptance.fleet import ENDED, Fleet
from tests.servers import wait_until

FIRST_VEHICLE = 100_000
WORKERS = 2
# The hub is killed half as often: it takes seconds to come back, and everything waits for it.
TARGETS = ("hub", "worker", "worker", "simulator", "simulator")
LATEST_KILL_S = 2.5
# What was killed is missed soon.
PATIENCE = {"ANSWER_S": "10", "SILENT_S": "5", "SILENT_LIMIT_S": "5"}
TTL_S = 3
END_WITHIN_S = 240.0


@dataclass(frozen=True, slots=True)
class Found:
    """What came out; vehicles are named in the lists."""

    kills: Counter[str]
    outcomes: Counter[str]
    executed_twice: Sequence[int]
    not_ended: Sequence[str]
    wrongly_ended: Sequence[str]

    @property
    def is_well(self) -> bool:
        return not (self.executed_twice or self.not_ended or self.wrongly_ended)


def run_fleet_crashes(folder: Path, *, seed: int, kills: int) -> Found:
    chance = random.Random(seed)
    counted: Counter[str] = Counter()
    with Fleet(folder, settings=PATIENCE, ttl_s=TTL_S).started(workers=WORKERS) as fleet:
        fleet.fault(progress_step=34, progress_interval_s=0.2)
        jobs = {}
        for number in range(kills):
            vehicle = FIRST_VEHICLE + number
            jobs[fleet.start_job(vehicle=vehicle, client=vehicle)] = vehicle
            time.sleep(chance.uniform(0, LATEST_KILL_S))  # the moment of the kill, not a wait for something
            target = chance.choice(TARGETS)
            _kill(fleet, target, chance)
            counted[target] += 1
        return _judged(fleet, jobs, counted)


def _kill(fleet: Fleet, target: str, chance: random.Random) -> None:
    pause_s = chance.uniform(0, 0.5)
    match target:
        case "hub":
            fleet.hub.kill()
            time.sleep(pause_s)
            fleet.hub.start()
        case "simulator":
            fleet.simulator.kill()
            time.sleep(pause_s)
            fleet.start_simulator()
        case _:
            worker = chance.choice(fleet.workers)
            worker.kill()
            time.sleep(pause_s)
            worker.launch()


def _judged(fleet: Fleet, jobs: dict[str, int], kills: Counter[str]) -> Found:
    _await_ends(fleet, list(jobs))
    outcomes: Counter[str] = Counter()
    twice, open_, wrong = [], [], []
    for job_id, vehicle in jobs.items():
        job, executions = fleet.job(job_id), fleet.executions(vehicle)
        outcomes[_outcome(job)] += 1
        if len(executions) > 1:
            twice.append(vehicle)
        if job["status"] not in ENDED:
            open_.append(job_id)
        elif not _is_true(job, executions):
            wrong.append(f"{vehicle}: {job['status']} {job['error']}, executed {len(executions)} times")
    return Found(kills, outcomes, twice, open_, wrong)


def _await_ends(fleet: Fleet, jobs: list[str]) -> None:
    """Until all have ended, or the time is over: those that have not are found by the one who looks."""
    left = set(jobs)

    def none_left() -> bool:
        left.difference_update([job for job in left if fleet.job(job)["status"] in ENDED])
        return not left

    try:
        wait_until(none_left, what="the end of all jobs", timeout_s=END_WITHIN_S)
    except (AssertionError, TimeoutError):
        return


def _outcome(job: dict[str, Any]) -> str:
    return str(job["status"]) if job["status"] == "completed" else str(job["state"])


def _is_true(job: dict[str, Any], executions: list[dict[str, Any]]) -> bool:
    """What the hub says against the book: an unknown outcome may be either, all else has to be so."""
    if job["state"] == "unknown":
        return True
    return len(executions) == (1 if job["status"] == "completed" else 0)
