"""Pings of heartbeats: durable, many to a commit, overdue at the deadline; on both engines."""

import asyncio
from datetime import timedelta

import pytest

from atalaia.core.clock import to_ms
from atalaia.watch.model.observations import BeatKind
from atalaia.watch.model.states import CheckState
from atalaia.watch.model.values import Check
from atalaia.watch.service.heartbeats import PINGS_KEPT, HeartbeatPing
from tests.conftest import MakeStore
from tests.fakes import FakeClock
from tests.store.watch_house import ACTOR, House


@pytest.fixture
def house(make_store: MakeStore, clock: FakeClock) -> House:
    return House(make_store("watch"), clock)


def heartbeat(house: House) -> Check:
    return house.add(name="Backup", kind="heartbeat", target="", period_s=60, grace_s=10, failures_to_down=None)


def ping(house: House, check: Check, kind: BeatKind = BeatKind.SUCCESS, **more: object) -> bool:
    one = HeartbeatPing(check.id, to_ms(house.clock.now()), kind, **more)  # type: ignore[arg-type] # passed through
    return asyncio.run(house.heartbeats.take(one))


def test_the_address_finds_the_check(house: House) -> None:
    check = heartbeat(house)
    assert check.ping_id is not None
    assert asyncio.run(house.heartbeats.check_of(check.ping_id)) == check.id
    assert asyncio.run(house.heartbeats.check_of("00000000-0000-4000-8000-000000000000")) is None


def test_a_ping_brings_it_up_and_the_deadline_down_exactly(house: House) -> None:
    check = heartbeat(house)
    assert ping(house, check)
    up = house.check(check.id)
    assert (up.state, up.deadline_at) == (CheckState.UP, house.clock.now() + timedelta(seconds=70))
    house.clock.advance(69.999)
    assert asyncio.run(house.heartbeats.tick()) == pytest.approx(0.001)
    assert house.check(check.id).state is CheckState.UP
    house.clock.advance(5)
    assert asyncio.run(house.heartbeats.tick()) is None
    down = house.check(check.id)
    assert (down.state, down.since_at) == (CheckState.DOWN, up.deadline_at)
    assert house.open_incidents()[0].reason == "overdue"
    assert ping(house, check)
    assert house.open_incidents() == []


@pytest.mark.parametrize("body", [b"", b"done"])
def test_who_came_due_while_nobody_could_hear_has_another_grace(house: House, body: bytes) -> None:
    checks = [heartbeat(house), heartbeat(house)]
    for check in checks:
        ping(house, check)
    house.clock.advance(300)
    asyncio.run(house.heartbeats.forgive())
    assert asyncio.run(house.heartbeats.tick()) == 10
    house.clock.advance(9)
    assert ping(house, checks[0], body=body)
    house.clock.advance(1)
    asyncio.run(house.heartbeats.tick())
    assert [house.check(check.id).state for check in checks] == [CheckState.UP, CheckState.DOWN]
    assert [incident.check_id for incident in house.open_incidents()] == [checks[1].id]
    assert len(house.told) == 1


def test_a_job_that_fails_with_binary_output_is_down_all_the_same(house: House) -> None:
    check = heartbeat(house)
    ping(house, check)
    assert ping(house, check, BeatKind.FAIL, body=b"out of \x00memory\x1b[2J\nmore")
    assert house.check(check.id).state is CheckState.DOWN
    assert house.open_incidents()[0].reason == "fail: out of  memory [2J"


@pytest.mark.parametrize("is_running", [False, True])
def test_after_the_clock_was_set_back_a_job_is_missed_in_its_time(house: House, is_running: bool) -> None:
    check = heartbeat(house)
    ping(house, check)
    if is_running:
        ping(house, check, BeatKind.START)
    house.clock.jump(-3600)
    left_s = 10 if is_running else 70
    assert asyncio.run(house.heartbeats.tick()) == left_s
    house.clock.advance(left_s)
    asyncio.run(house.heartbeats.tick())
    assert house.check(check.id).state is CheckState.DOWN
    assert [incident.check_id for incident in house.open_incidents()] == [check.id]


def test_many_pings_at_once_all_count(house: House) -> None:
    checks = [heartbeat(house) for _ in range(5)]

    async def all_at_once() -> list[bool]:
        at_ms = to_ms(house.clock.now())
        pings = [HeartbeatPing(checks[n % 5].id, at_ms + n, BeatKind.SUCCESS) for n in range(200)]
        return await asyncio.gather(*(house.heartbeats.take(one) for one in pings))

    assert all(asyncio.run(all_at_once()))
    assert [house.check(check.id).results for check in checks] == [40] * 5


def test_a_failure_is_down_at_once_and_says_what_it_said(house: House) -> None:
    check = heartbeat(house)
    ping(house, check)
    ping(house, check, BeatKind.FAIL, exit_status=3, body=b"disk full\nmore")
    assert house.open_incidents()[0].reason == "exit status 3: disk full"
    kept = asyncio.run(house.service.pings(check.id))
    assert [(one.kind, one.exit_status, one.body) for one in kept] == [("fail", 3, b"disk full\nmore")]


def test_what_only_says_well_leaves_no_row(house: House) -> None:
    check = heartbeat(house)
    ping(house, check)
    assert asyncio.run(house.service.pings(check.id)) == []


def test_the_newest_pings_are_kept(house: House) -> None:
    check = heartbeat(house)

    async def many() -> None:
        at_ms = to_ms(house.clock.now())
        logs = [HeartbeatPing(check.id, at_ms + n, BeatKind.LOG, body=b"%d" % n) for n in range(PINGS_KEPT + 20)]
        for log in logs:
            await house.heartbeats.take(log)

    asyncio.run(many())
    kept = asyncio.run(house.service.pings(check.id, limit=1000))
    assert len(kept) == PINGS_KEPT
    assert kept[0].body == b"%d" % (PINGS_KEPT + 19)
    assert house.check(check.id).state is CheckState.UNKNOWN


def test_a_run_that_ends_is_a_sample_of_how_long_it_took(house: House) -> None:
    check = heartbeat(house)
    ping(house, check, BeatKind.START)
    house.clock.advance(4)
    ping(house, check)
    assert [(name, value) for name, _, _, value in house.samples] == [("heartbeat_run_seconds", 4.0)]


def test_a_ping_of_a_removed_check_is_answered_so(house: House) -> None:
    check = heartbeat(house)
    asyncio.run(house.service.remove_check(check.id, ACTOR))
    assert ping(house, check) is False


def test_a_longer_period_moves_the_deadline(house: House) -> None:
    check = heartbeat(house)
    ping(house, check)
    changed = asyncio.run(house.service.change_check(check.id, {"period_s": 600}, ACTOR))
    assert changed.deadline_at == house.clock.now() + timedelta(seconds=610)
