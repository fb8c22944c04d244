"""Checks are made, changed, paused and removed; incidents are worked on; on both engines."""

import asyncio
from typing import Any

import msgspec
import pytest

from atalaia.core.errors import Conflict, InvalidField, NotFound
from atalaia.sdk.transaction import Tx
from atalaia.watch.model.checks import CheckKind, CheckSpec
from atalaia.watch.model.incidents import IncidentState
from atalaia.watch.model.states import CheckState
from atalaia.watch.model.values import CheckFilter, IncidentFilter
from tests.conftest import MakeStore
from tests.fakes import FakeClock
from tests.store.watch_house import ACTOR, House


@pytest.fixture
def house(make_store: MakeStore, clock: FakeClock) -> House:
    return House(make_store("watch"), clock)


def change(house: House, check_id: str, **patch: Any) -> Any:
    return asyncio.run(house.service.change_check(check_id, patch, ACTOR))


def test_a_check_goes_to_the_agents_it_names(house: House) -> None:
    check = house.add(agents=["gamma", "alpha"], options={"method": "HEAD"})
    order, agents = house.fleet.orders[check.id]
    assert (set(agents), order.options, order.interval_s) == ({"a", "c"}, {"method": "HEAD"}, 30)


def test_an_unknown_agent_is_refused_by_name(house: House) -> None:
    with pytest.raises(InvalidField, match="nobody"):
        house.add(agents=["nobody"])


def test_without_any_agent_it_waits_for_one(house: House) -> None:
    house.fleet.heard = []
    check = house.add()
    assert check.id not in house.fleet.orders
    house.fleet.heard = ["b"]
    assert house.store.write_now(house.book.place_orphans) == 1
    assert house.fleet.orders[check.id][1] == ("b",)
    assert house.store.write_now(house.book.place_orphans) == 0


def test_secrets_reach_the_agent_and_nobody_else(house: House) -> None:
    check = house.add(agents=["alpha"], secrets={"username": "me", "password": "hunter2"})
    assert house.fleet.orders[check.id][0].secrets == {"username": "me", "password": "hunter2"}
    assert check.has_secrets
    assert check.spec.secrets == {}
    assert b"hunter2" not in msgspec.json.encode(house.check(check.id))


def test_a_patch_changes_only_what_it_names(house: House) -> None:
    check = house.add(agents=["alpha"], secrets={"username": "me", "password": "hunter2"}, labels={"a": "1"})
    after = change(house, check.id, name="New", secrets={"password": "other"})
    assert (after.spec.name, after.spec.labels, after.spec.agents) == ("New", {"a": "1"}, ["a"])
    assert house.fleet.orders[check.id][0].secrets == {"username": "me", "password": "other"}
    change(house, check.id, secrets={"username": None, "password": None})
    assert not house.check(check.id).has_secrets
    assert house.audited == ["check.changed", "check.changed"]


@pytest.mark.parametrize(
    ("moved", "is_same"),
    [
        ("https://x.test/other?q=1", True),
        ("https://X.test/health", True),
        ("https://evil.test/health", False),
        ("http://x.test/health", False),
        ("https://x.test:8443/health", False),
        ("https://x.test@evil.test/health", False),
        ("https://x.test.evil.test/health", False),
    ],
)
def test_secrets_that_are_kept_go_to_no_other_server(house: House, moved: str, is_same: bool) -> None:
    secrets = {"username": "me", "password": "hunter2"}
    check = house.add(agents=["alpha"], target="https://x.test/health", secrets=secrets)
    if is_same:
        change(house, check.id, target=moved)
        assert house.fleet.orders[check.id][0].secrets == secrets
        return
    for given in ({}, {"secrets": {"password": "mine"}}):
        with pytest.raises(InvalidField) as refused:
            change(house, check.id, target=moved, **given)
        assert refused.value.field == "target"
    with pytest.raises(InvalidField):
        asyncio.run(house.service.try_spec(msgspec.structs.replace(check.spec, target=moved), check_id=check.id))
    assert house.fleet.orders[check.id][0].target == "https://x.test/health"
    change(house, check.id, target=moved, secrets={"username": None, "password": "mine"})
    assert house.fleet.orders[check.id][0].secrets == {"password": "mine"}


def test_changes_at_the_same_moment_lose_nothing_of_each_other(house: House) -> None:
    check = house.add(agents=["alpha"])

    async def together(turn: str) -> None:
        patches = ({"runbook": turn}, {"target": f"http://x.test/{turn}"}, {"labels": {"turn": turn}}, {"name": turn})
        await asyncio.gather(*(house.service.change_check(check.id, patch, ACTOR) for patch in patches))

    for turn in map(str, range(10)):
        asyncio.run(together(turn))
        spec = house.check(check.id).spec
        assert (spec.runbook, spec.target, spec.labels, spec.name) == (
            turn,
            f"http://x.test/{turn}",
            {"turn": turn},
            turn,
        )


def test_a_change_of_what_has_changed_since_is_refused(house: House) -> None:
    seen = house.add(agents=["alpha"])
    change(house, seen.id, name="Of another")
    with pytest.raises(Conflict, match="Somebody else"):
        asyncio.run(house.service.change_check(seen.id, {"name": "Mine"}, ACTOR, seen=seen.revision))
    assert house.check(seen.id).spec.name == "Of another"
    now = house.check(seen.id).revision
    asyncio.run(house.service.change_check(seen.id, {"name": "Mine"}, ACTOR, seen=now))
    assert house.check(seen.id).spec.name == "Mine"


def test_the_kind_stays(house: House) -> None:
    with pytest.raises(InvalidField):
        change(house, house.add().id, kind="tcp", target="a:1")


def test_a_new_limit_counts_from_the_next_result(house: House) -> None:
    check = house.add()
    house.see(check, True)
    change(house, check.id, failures_to_down=3)
    house.see(check, False, False)
    assert house.check(check.id).state is CheckState.UP
    house.see(check, False)
    assert house.check(check.id).state is CheckState.DOWN


def test_fewer_places_are_judged_at_once(house: House) -> None:
    check = house.add(agents=["alpha", "beta"])
    house.see(check, True, agent="b")
    house.see(check, False, agent="a")
    assert house.check(check.id).state is CheckState.UP
    assert change(house, check.id, agents=["alpha"]).state is CheckState.DOWN
    assert len(house.open_incidents()) == 1


def test_a_paused_check_is_not_measured_and_its_incident_closed(house: House) -> None:
    check = house.add()
    house.see(check, False)
    paused = asyncio.run(house.service.pause_check(check.id, ACTOR, is_paused=True))
    assert (paused.state, paused.is_paused) == (CheckState.PAUSED, True)
    assert house.open_incidents() == []
    assert check.id not in house.fleet.orders
    house.see(check, False)
    assert house.open_incidents() == []
    asyncio.run(house.service.pause_check(check.id, ACTOR, is_paused=False))
    assert check.id in house.fleet.orders
    house.see(check, False)
    assert len(house.open_incidents()) == 1


def test_a_check_can_be_made_paused(house: House) -> None:
    check = house.add(paused=True)
    assert check.state is CheckState.PAUSED
    assert check.id not in house.fleet.orders
    assert change(house, check.id, paused=False).state is CheckState.UNKNOWN
    assert check.id in house.fleet.orders


def test_a_removed_check_is_gone_and_its_incident_with_its_history_stays(house: House) -> None:
    check = house.add()
    house.see(check, False)
    asyncio.run(house.service.remove_check(check.id, ACTOR))
    with pytest.raises(NotFound):
        house.check(check.id)
    assert house.fleet.orders == {}
    incident = asyncio.run(house.service.incidents(IncidentFilter(), limit=10))[0]
    assert (incident.state, incident.check_id) == (IncidentState.RESOLVED, None)
    house.see(check, False)
    assert house.open_incidents() == []


def test_lists_are_filtered_and_come_page_by_page(house: House) -> None:
    made = [house.add(name=f"Site {n}", labels={"n": str(n % 2)}) for n in range(5)]
    house.add(name="Job", kind="heartbeat", target="", period_s=60)
    assert len(asyncio.run(house.service.checks(CheckFilter(kind=CheckKind.HTTP), limit=50))) == 5
    assert len(asyncio.run(house.service.checks(CheckFilter(label=("n", "1")), limit=50))) == 2
    assert len(asyncio.run(house.service.checks(CheckFilter(agent_id="a"), limit=50))) == 5
    assert [one.spec.name for one in asyncio.run(house.service.checks(CheckFilter(text="SITE 3"), limit=50))] == [
        "Site 3"
    ]
    page = asyncio.run(house.service.checks(CheckFilter(), limit=2, after=made[3].id))
    assert [one.id for one in page] == [made[2].id, made[1].id, made[0].id]


def test_the_worst_is_first_and_pages_go_on_from_there(house: House) -> None:
    up, down, new = (house.add(name=name) for name in ("b", "c", "a"))
    house.see(up, True)
    house.see(down, False)
    first, key = asyncio.run(house.service.checks_worst_first(CheckFilter(), limit=2))
    assert [one.id for one in first] == [down.id, new.id]
    rest, end = asyncio.run(house.service.checks_worst_first(CheckFilter(), limit=2, after=key))
    assert ([one.id for one in rest], end) == ([up.id], None)
    assert asyncio.run(house.service.counts())[CheckState.DOWN] == 1


def test_an_incident_is_acknowledged_commented_and_closed(house: House) -> None:
    house.see(house.add(), False)
    incident_id = house.open_incidents()[0].id

    async def work() -> None:
        await house.service.acknowledge(incident_id, ACTOR)
        await house.service.acknowledge(incident_id, ACTOR)
        await house.service.comment(incident_id, " on it ", ACTOR)
        await house.service.close(incident_id, ACTOR)

    asyncio.run(work())
    incident, events = asyncio.run(house.service.incident(incident_id))
    assert (incident.state, incident.acknowledged_by) == (IncidentState.RESOLVED, "Atalaia")
    kinds = [event.kind for event in events if event.kind != "told"]
    assert kinds == ["opened", "acknowledged", "comment", "closed"]
    assert next(event.data for event in events if event.kind == "comment") == {"text": "on it"}
    with pytest.raises(Conflict):
        asyncio.run(house.service.close(incident_id, ACTOR))
    with pytest.raises(InvalidField):
        asyncio.run(house.service.comment(incident_id, "  ", ACTOR))
    with pytest.raises(NotFound):
        asyncio.run(house.service.incident("nope"))


def test_a_try_runs_on_a_named_agent_and_counts_for_nothing(house: House) -> None:
    check = house.add(agents=["beta"], secrets={"token": "t"})
    result = asyncio.run(house.service.try_check(check.id))
    assert result.ok
    agent, order = house.fleet.tried[0]
    assert (agent, order.secrets) == ("b", {"token": "t"})
    assert house.check(check.id).results == 0


def test_a_try_without_any_agent_says_so(house: House) -> None:
    house.fleet.heard = []
    spec = CheckSpec(name="x", kind=CheckKind.TCP, target="a:1")
    with pytest.raises(Conflict, match="no agent"):
        asyncio.run(house.service.try_spec(spec))


def test_uptime_comes_by_window(house: House) -> None:
    check = house.add()
    house.see(check, True, step_s=10)
    house.see(check, False, step_s=90)
    house.see(check, True, step_s=10)
    stats = asyncio.run(house.service.stats(check.id))
    assert stats["24h"].uptime == pytest.approx(0.9)
    assert list(stats) == ["24h", "7d", "30d", "90d", "365d"]


@pytest.mark.parametrize(
    "fields",
    [
        {"labels": {"team": "web", "env": "prod"}, "agents": ["gamma", "alpha"]},
        {"labels": {"team": "web"}},
        {"paused": True, "agents": ["beta"]},
        {"kind": "heartbeat", "target": "", "period_s": 60, "grace_s": 10, "failures_to_down": None},
        {"kind": "postgresql", "target": "db:5432", "secrets": {"password": "pw"}, "agents": ["beta"]},
    ],
)
def test_what_making_a_check_answers_is_what_is_kept(house: House, fields: dict[str, object]) -> None:
    made = house.add(**fields)
    assert house.check(made.id) == made
    ordered = house.fleet.orders.get(made.id)
    if made.is_paused or made.ping_id:
        assert ordered is None
    else:
        assert ordered is not None
        assert ordered[1] == tuple(place.agent_id for place in made.places)


def test_making_a_check_takes_few_statements(house: House) -> None:
    if house.store.dialect != "sqlite":
        pytest.skip("counted by SQLite's own trace")
    statements: list[str] = []

    def traced(tx: Tx) -> None:
        driver: Any = tx.connection.connection.driver_connection
        driver.set_trace_callback(statements.append)
        try:
            spec = CheckSpec(name="x", kind=CheckKind.HTTP, target="http://x.test/", labels={"a": "b"}, agents=["a"])
            house.book.add(tx, spec, by="test", now=house.clock.now())
        finally:
            driver.set_trace_callback(None)

    house.store.write_now(traced)
    assert len(statements) <= 7, statements
