"""Results come in, states, spans and incidents come out, on both engines."""

from itertools import pairwise

import pytest

from atalaia.agents.model.wire import Result as WireResult
from atalaia.agents.model.wire import Samples as WireSamples
from atalaia.core.clock import to_ms
from atalaia.notify.model.notice import NoticeKind
from atalaia.notify.model.severity import Severity
from atalaia.watch.model.incidents import Cause
from atalaia.watch.model.states import CheckState
from atalaia.watch.queries import history
from tests.conftest import MakeStore
from tests.fakes import FakeClock
from tests.store.watch_house import House


@pytest.fixture
def house(make_store: MakeStore, clock: FakeClock) -> House:
    return House(make_store("watch"), clock)


def test_a_fault_opens_one_incident_and_tells_it_and_the_recovery_closes_it(house: House) -> None:
    check = house.add(labels={"team": "web"}, runbook="Restart it")
    house.see(check, True, False, False, error="timeout", message="no answer in 10 s")
    incident = house.open_incidents()[0]
    assert (incident.title, incident.cause, incident.reason) == (
        "Site is down",
        Cause.DOWN,
        "timeout: no answer in 10 s",
    )
    house.see(check, True)
    assert house.open_incidents() == []
    assert [notice.kind for notice in house.told] == [NoticeKind.OPENED, NoticeKind.RECOVERED]
    opened = house.told[0]
    assert opened.check is not None
    assert (opened.check.state, opened.check.labels, opened.incident.runbook) == ("down", {"team": "web"}, "Restart it")
    assert house.told[1].incident.state == "resolved"
    assert house.timeline(incident.id) == ["opened", "told", "recovered", "told"]


def test_the_first_up_is_not_told(house: House) -> None:
    check = house.add()
    house.see(check, True, True)
    assert house.told == []
    assert house.check(check.id).state is CheckState.UP


def test_when_nobody_is_told_the_timeline_says_so(house: House) -> None:
    house.channels = ()
    house.see(house.add(), False)
    assert house.timeline(house.open_incidents()[0].id) == ["opened", "nobody_told"]


def test_a_batch_is_decided_in_its_order(house: House) -> None:
    check = house.add()
    start = to_ms(house.clock.now())
    house.clock.advance(10)
    results = [
        WireResult(seq=n, probe=check.id, at=start + n, ok=ok, outcome="ok" if ok else "fail")
        for n, ok in enumerate([True, False, True, False], 1)
    ]
    house.take(results)
    assert house.check(check.id).state is CheckState.DOWN
    assert [notice.kind for notice in house.told] == [NoticeKind.OPENED, NoticeKind.RECOVERED, NoticeKind.OPENED]
    assert house.check(check.id).results == 4


def test_spans_tell_when_it_was_what(house: House) -> None:
    created_at = house.clock.now()
    check = house.add()
    house.see(check, True, False, False, True)
    spans = house.store.read_now(lambda tx: history.spans_since(tx, [check.id], created_at))[check.id]
    assert [span.state for span in spans] == [CheckState.UNKNOWN, CheckState.UP, CheckState.DOWN, CheckState.UP]
    assert all(span.ended_at == after.started_at for span, after in pairwise(spans))
    assert spans[-1].ended_at is None


def test_what_is_about_another_probe_or_a_check_that_is_gone_is_passed_over(house: House) -> None:
    house.take([WireResult(seq=1, probe="gone", at=1, ok=False, outcome="fail")])
    assert house.samples == []


def test_an_agent_with_its_clock_hours_off_is_decided_upon_and_its_times_are_kept(house: House) -> None:
    check = house.add()
    skew_ms = 3 * 3_600_000.0
    house.see(check, True, False, skew_ms=skew_ms)
    stands = house.check(check.id)
    assert stands.state is CheckState.DOWN
    assert abs((stands.since_at - house.clock.now()).total_seconds()) < 1
    assert house.samples[-1][2] == to_ms(house.clock.now()) - skew_ms
    house.see(check, True)
    assert house.check(check.id).state is CheckState.UP


def test_results_become_samples_with_phases(house: House) -> None:
    check = house.add()
    house.see(check, True, phases={"dns": 1.0, "connect": None}, data={"tls_days_left": 30})
    labels = {"check": check.id, "check_name": "Site", "agent": "alpha"}
    at_ms = to_ms(house.clock.now())
    assert house.samples == [
        ("probe_up", labels, at_ms, 1.0),
        ("probe_duration_seconds", labels | {"phase": "total"}, at_ms, 0.0125),
        ("probe_duration_seconds", labels | {"phase": "dns"}, at_ms, 0.001),
        ("probe_tls_days_left", labels, at_ms, 30.0),
    ]


def test_database_probes_give_the_metrics_that_dashboards_know(house: House) -> None:
    check = house.add(kind="postgresql", target="db.test")
    house.see(check, True, phases={"connect": 4.0, "query": 2.0})
    page = house.own.page().decode()
    assert 'database_available{db_type="postgresql"} 1.0' in page
    assert 'database_query_latency_seconds_count{db_type="postgresql",operation="query",status="success"} 1.0' in page
    assert 'database_query_latency_seconds_sum{db_type="postgresql",operation="connect",status="success"} 0.004' in page
    house.see(check, False, error="connection_refused", ms=None)
    page = house.own.page().decode()
    assert 'database_available{db_type="postgresql"} 0.0' in page
    assert 'database_connection_errors_total{db_type="postgresql",error_type="connection_refused"} 1.0' in page


def _read(check_id: str, at: int, value: float) -> WireSamples:
    return WireSamples(seq=2, at=at, probe=check_id, samples=[("disk_used_ratio", {"mount": "/"}, value)])


def test_thresholds_on_samples_decide(house: House) -> None:
    limits = [
        {"metric": "disk_used_ratio", "above": 0.9},
        {"metric": "disk_used_ratio", "above": 0.8, "state": "degraded"},
    ]
    check = house.add(kind="host", target="", options={"thresholds": limits})
    assert house.fleet.orders[check.id][0].options == {}
    seen = []
    for value in (0.5, 0.85, 0.95):
        house.clock.advance(30)
        at = to_ms(house.clock.now())
        house.take(
            [WireResult(seq=1, probe=check.id, at=at, ok=True, outcome="ok")], samples=[_read(check.id, at, value)]
        )
        seen.append(house.check(check.id).state)
    assert seen == [CheckState.UP, CheckState.DEGRADED, CheckState.DOWN]
    assert house.open_incidents()[0].reason == "disk_used_ratio = 0.95"


def test_samples_of_a_bad_form_do_not_take_the_batch_with_them(house: House) -> None:
    check = house.add(kind="prometheus", target="http://x.test/metrics")
    odd = WireSamples(
        seq=1, at=5, probe=check.id, samples=[("bad name", {}, 1.0), ("good", {"no good": "x"}, 1.0), ("a", {}, 1.0)]
    )
    house.take([], samples=[odd])
    assert [name for name, _, _, _ in house.samples] == ["a"]


def test_a_silent_agent_has_an_incident_and_its_checks_are_unknown(house: House) -> None:
    check = house.add(agents=["alpha"])
    house.see(check, False)
    house.clock.advance(60)
    house.silence("a")
    assert house.check(check.id).state is CheckState.UNKNOWN
    assert {incident.cause for incident in house.open_incidents()} == {Cause.DOWN, Cause.SILENT}
    assert next(one.title for one in house.open_incidents() if one.cause is Cause.SILENT) == "Agent alpha is silent"
    house.store.write_now(lambda tx: house.fleet_watch.back(tx, "a", at_ms=to_ms(house.clock.now())))
    house.see(check, True)
    assert house.open_incidents() == []


def test_what_the_hub_picked_moves_to_another_agent(house: House) -> None:
    check = house.add()
    assert house.fleet.orders[check.id][1] == ("a",)
    house.see(check, True)
    house.silence("a")
    assert house.fleet.orders[check.id][1] == ("b",)
    assert house.check(check.id).state is CheckState.UNKNOWN
    house.see(check, True, agent="b")
    assert house.check(check.id).state is CheckState.UP


def test_degraded_is_a_warning_and_down_takes_its_place(house: House) -> None:
    check = house.add(degraded_ms=10)
    house.see(check, True)
    assert [(one.cause, one.severity) for one in house.open_incidents()] == [(Cause.DEGRADED, Severity.WARNING)]
    house.see(check, False)
    assert [(one.cause, one.severity) for one in house.open_incidents()] == [(Cause.DOWN, Severity.CRITICAL)]
    assert [notice.kind for notice in house.told] == [NoticeKind.OPENED, NoticeKind.ACKNOWLEDGED, NoticeKind.OPENED]


def test_two_places_decide_together(house: House) -> None:
    check = house.add(agents=["alpha", "beta", "gamma"])
    for agent in "abc":
        house.see(check, True, agent=agent)
    house.see(check, False, agent="a")
    assert house.check(check.id).state is CheckState.UP
    house.see(check, False, agent="b")
    assert house.check(check.id).state is CheckState.DOWN


def test_an_incident_closed_by_hand_stays_closed_until_the_next_fault(house: House) -> None:
    check = house.add()
    house.see(check, True, False)
    incident_id = house.open_incidents()[0].id
    house.store.write_now(lambda tx: house.incidents.close(tx, incident_id, by="Ana", now=house.clock.now()))
    house.see(check, False, False)
    assert house.open_incidents() == []
    house.see(check, True, False)
    assert len(house.open_incidents()) == 1


def test_after_the_clock_was_set_back_a_fault_is_seen_and_shown_at_once(house: House) -> None:
    check = house.add()
    house.see(check, True)
    house.clock.jump(-3600)
    house.see(check, False, False, error="timeout", message="no answer in 10 s")
    now = house.check(check.id)
    assert (now.state, now.last_error) == (CheckState.DOWN, "timeout: no answer in 10 s")
    assert [incident.check_id for incident in house.open_incidents()] == [check.id]
