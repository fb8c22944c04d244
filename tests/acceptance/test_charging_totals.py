"""A seeded sample of the past that is imported and counted twice; `make soak` has the long one."""

from pathlib import Path

import pytest

from tests.acceptance.charging_history import DOWN_EACH, UP_EACH, run_history

SEED = 20261122
SESSIONS, DAYS, KILLS = 5000, 62, 1


@pytest.mark.timeout(900)
def test_an_imported_past_comes_to_what_it_was_to_the_last_watt_hour_and_cent(tmp_path: Path) -> None:
    found = run_history(tmp_path, seed=SEED, sessions=SESSIONS, days=DAYS, kills=KILLS)
    assert found.wrong == []
    assert found.sessions == SESSIONS
    assert found.corrected >= SESSIONS // UP_EACH
    assert found.marked >= SESSIONS // DOWN_EACH // 2
