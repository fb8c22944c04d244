"""The overview tells the worst first."""

import pytest

from atalaia.watch.service.overview import read_overview
from tests.conftest import MakeStore
from tests.fakes import FakeClock
from tests.store.watch_house import House


@pytest.fixture
def house(make_store: MakeStore, clock: FakeClock) -> House:
    return House(make_store("watch"), clock)


def test_a_critical_incident_stands_before_a_newer_warning(house: House) -> None:
    first = house.add(name="critical one", severity="critical", failures_to_down=1)
    second = house.add(name="a warning", severity="warning", failures_to_down=1)
    well = house.add(name="well", failures_to_down=1)
    house.see(first, False)
    house.see(second, False)
    house.see(well, True)
    seen = house.store.read_now(lambda tx: read_overview(tx, max_incidents=10))
    assert [incident.severity for incident in seen.incidents] == ["critical", "warning"]
    assert [check.name for check in seen.checks] == ["a warning", "critical one", "well"]
    assert seen.open_incidents == 2
