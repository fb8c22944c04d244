"""A seeded sample of the crash runs of auto-close; `make soak` has the long ones."""

import random

import pytest

from tests.acceptance.binance_crashes import crashing, random_case
from tests.conftest import MakeStore

SEED = 20261122
CASES = 25


@pytest.mark.timeout(900)
def test_no_leg_is_closed_twice_and_nothing_is_lost_wherever_it_is_killed(make_store: MakeStore) -> None:
    chance = random.Random(SEED)
    with crashing(make_store()) as crashes:
        for _ in range(CASES):
            crashes.run(random_case(chance))

    assert crashes.found.wrong == []
    assert crashes.found.kills > CASES // 3
