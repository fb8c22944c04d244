"""The overview tells the worst first."""

import asyncio

import pytest

from atalaia.core.clock import to_ms
from atalaia.watch.model.observations import BeatKind
from atalaia.watch.model.values import Check
from atalaia.watch.service.heartbeats import HeartbeatPing
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


def test_what_is_over_is_told_the_last_to_end_first(house: House) -> None:
    long, short, still = (
        house.add(name=name, failures_to_down=1, successes_to_up=1) for name in ("long", "short", "still")
    )
    house.see(long, False)
    house.see(short, False, True)
    house.see(long, True)
    house.see(still, False)
    seen = house.store.read_now(lambda tx: read_overview(tx, max_incidents=10))
    assert [incident.check_id for incident in seen.recent] == [long.id, short.id]
    assert [incident.check_id for incident in seen.incidents] == [still.id]


def test_what_is_not_well_says_why(house: House) -> None:
    slow = house.add(name="slow", degraded_ms=100)
    job = house.add(name="job", kind="heartbeat", target="", period_s=60, grace_s=10, failures_to_down=None)
    far = house.add(name="far", agents=["b"])
    house.see(far, True, agent="b")
    ping(house, job)
    assert reasons(house) == {"far": None, "job": None, "slow": None}
    house.clock.advance(600)
    asyncio.run(house.heartbeats.tick())
    house.silence("b")
    house.see(slow, True, ms=2500.0)
    assert reasons(house) == {"far": "agent_silent", "job": "overdue", "slow": "slow: 2500 ms > 100 ms"}
    ping(house, job, BeatKind.FAIL, exit_status=3)
    assert reasons(house)["job"] == "overdue"  # why it is down
    ping(house, job)
    ping(house, job, BeatKind.FAIL, exit_status=3)
    assert reasons(house)["job"] == "exit status 3"
    ping(house, job)
    house.see(slow, True, ms=5.0)
    house.see(far, True, agent="b")
    assert reasons(house) == {"far": None, "job": None, "slow": None}


def ping(house: House, check: Check, kind: BeatKind = BeatKind.SUCCESS, **more: object) -> None:
    house.clock.advance(1)
    one = HeartbeatPing(check.id, to_ms(house.clock.now()), kind, **more)  # type: ignore[arg-type] # passed through
    assert asyncio.run(house.heartbeats.take(one))


def reasons(house: House) -> dict[str, str | None]:
    seen = house.store.read_now(lambda tx: read_overview(tx, max_incidents=10))
    return {check.name: check.last_error for check in seen.checks}
