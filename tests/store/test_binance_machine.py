"""Whatever happens in whatever order: no leg is closed twice, nothing is lost, and nothing is made up."""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.conftest import MakeStore
from tests.store.binance_machine import OperationMachine
from tests.store.binance_site import migrated, simulating

EXAMPLES = {"sqlite": 14, "postgresql": 4}


@pytest.mark.timeout(900)
def test_the_operation_does_as_the_exchange_says(make_store: MakeStore, dialect: str) -> None:
    with simulating() as simulator:
        machine = type("Machine", (OperationMachine,), {"store": migrated(make_store()), "url": simulator.url})
        checks = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=EXAMPLES[dialect], stateful_step_count=25, deadline=None, suppress_health_check=checks
            ),
        )
