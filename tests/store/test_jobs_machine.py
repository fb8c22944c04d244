"""Whatever order messages come in, however often, however late: no job is lost, run twice at once, or repeated blindly."""

import asyncio
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from atalaia.store.store import Store
from tests.conftest import MakeStore
from tests.store.jobs_machine import JobsMachine

EXAMPLES = {"sqlite": 80, "postgresql": 12}


@pytest.fixture
def store(make_store: MakeStore) -> Store:
    return make_store("access", "jobs")


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as made:
        yield made


@pytest.mark.timeout(900)
def test_the_lease_machine_does_as_the_model(store: Store, runner: asyncio.Runner, dialect: str) -> None:
    machine = type("Machine", (JobsMachine,), {"store": store, "runner": runner})
    checks = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES[dialect], stateful_step_count=40, deadline=None, suppress_health_check=checks
        ),
    )
