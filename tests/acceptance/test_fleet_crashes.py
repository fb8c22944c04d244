"""A seeded sample of the crash runs of fleet commands; `make soak` has the long one."""

from pathlib import Path

from tests.acceptance.fleet_crashes import run_fleet_crashes

SEED = 20261122


def test_no_vehicle_is_executed_twice_and_no_job_is_lost_over_kills(tmp_path: Path) -> None:
    found = run_fleet_crashes(tmp_path, seed=SEED, kills=25)

    assert not found.executed_twice
    assert not found.not_ended
    assert not found.wrongly_ended
    assert found.outcomes["completed"] > 12, found.outcomes
