"""A seeded sample of the crash runs; `make soak` has the long ones."""

from pathlib import Path

from tests.acceptance.crashes import run_alerts, run_crashes

SEED = 20260115


def test_what_was_acknowledged_or_spooled_is_there_once_after_kills(tmp_path: Path) -> None:
    found = run_crashes(tmp_path, seed=SEED, hub_kills=3, agent_kills=3)
    assert found.acknowledged > 20
    assert found.spooled > 5
    assert found.missing == ()
    assert found.twice == ()


def test_the_alert_of_a_committed_incident_is_delivered_after_kills(tmp_path: Path) -> None:
    found = run_alerts(tmp_path, seed=SEED, hub_kills=3)
    assert found.acknowledged >= 6
    assert found.missing == ()
    assert found.keys_apart == ()
