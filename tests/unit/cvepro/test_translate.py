"""The vendor's words into ours: whatever comes, nothing is raised; local times, unknown words and doubtful figures."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atalaia.integrations.cvepro.cloud.translate import read_chargers, read_sessions, zone_of
from atalaia.integrations.cvepro.model.chargers import recognised
from atalaia.integrations.cvepro.model.fields import read_instant
from atalaia.integrations.cvepro.model.sessions import Doubt, Session, merged

ZONE = zone_of(-3)
FIELDS = (
    *("chargeBoxPk", "chargeBoxId", "uuid", "description", "lastHeartbeatTimestamp", "locationLatitude", "active"),
    *("address", "connectors", "id", "startTimestamp", "stopTimestamp", "energy", "startValue", "cost", "userName"),
    *("connectorId", "powerMax", "lastStatus", "status", "timeStamp", "socPercentage", "street"),
)
ANY = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["9" * 400, "1e1000000", "1e-9999999"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=6),
    max_leaves=30,
)


@given(st.lists(ANY | st.dictionaries(st.sampled_from(FIELDS), ANY), max_size=4))
def test_whatever_comes_is_read_and_can_be_kept(items: list[Any]) -> None:
    chargers = read_chargers(items, zone=ZONE)
    sessions = read_sessions(items, zone=ZONE)
    objects = sum(isinstance(item, dict) for item in items)
    assert len(chargers.chargers) == objects
    keys = [each.key for each in recognised(chargers.chargers, ())]
    assert len(set(keys)) == len(keys)
    for each in [*chargers.chargers, *sessions.sessions]:
        text = msgspec.json.encode(each).decode()
        assert "\\u0000" not in text
    assert all(each.id for each in sessions.sessions)


@pytest.mark.parametrize("value", ["1e1000000", "-1e999999999", 10**30, 1e300, 1e14, "99999999999999"])
def test_figures_that_can_not_be_are_left_out_and_named_so_that_sums_stay_within_the_store(value: Any) -> None:
    item = {"id": 1, "energy": value, "startValue": value, "stopValue": value, "cost": value, "idleDuration": -60}
    read = read_sessions([item], zone=ZONE)
    (session,) = read.sessions
    assert (session.energy_mwh, session.start_mwh, session.stop_mwh, session.cost_micros) == (None,) * 4
    assert session.idle_s is None
    assert {f"transaction.list[].{name}" for name in ("energy", "cost")} <= set(read.notes.unread())
    assert (
        read_sessions([{"id": 1, "cost": "123.45", "energy": 10**9}], zone=ZONE).sessions[0].cost_micros == 123_450_000
    )


def test_local_times_are_three_hours_behind() -> None:
    noon = datetime(2026, 1, 31, 15, 0, tzinfo=UTC)
    for text in ("2026-01-31 12:00:00", "31/01/2026 12:00:00", "2026-01-31T15:00:00.000Z"):
        assert read_instant(text, zone=ZONE) == noon
    for bad in ("", "yesterday", "0001-01-01 00:00:00", "31/13/2026 12:00:00", 12, None):
        assert read_instant(bad, zone=ZONE) is None


def test_unknown_words_are_kept_and_counted() -> None:
    def item(status: str) -> dict[str, Any]:
        return {"chargeBoxId": status, "connectors": [{"lastStatus": {"status": status}}]}

    read = read_chargers([item("Charging"), item("Dreaming"), item("Dreaming")], zone=ZONE)
    assert read.strange == {"Dreaming": 2}
    assert [each.status for each in read.chargers] == ["Charging", "Dreaming", "Dreaming"]


def test_a_field_that_is_null_is_no_change_and_one_that_is_gone_from_most_is() -> None:
    items = [{"chargeBoxId": str(n), "uuid": None, **({"description": "x"} if n < 2 else {})} for n in range(5)]
    changed = read_chargers(items, zone=ZONE).notes.changed_paths()
    assert "chargePointList[].description" in changed
    assert "chargePointList[].uuid" not in changed
    assert "chargePointList[].chargeBoxId" not in changed


def test_a_charger_stays_itself_under_any_of_its_ids() -> None:
    full = read_chargers([{"chargeBoxPk": 1, "chargeBoxId": "A", "uuid": "u"}], zone=ZONE).chargers
    for left in ({"chargeBoxPk": 1}, {"chargeBoxId": "A"}, {"uuid": "u"}):
        (one,) = recognised(read_chargers([left], zone=ZONE).chargers, full)
        assert one.key == "A"


def a_session(**given: Any) -> Session:
    started = datetime(2026, 1, 31, 12, tzinfo=UTC)
    values = {"id": "1", "started_at": started, "stopped_at": started + timedelta(hours=2), **given}
    return Session(**values)


def test_a_charger_that_is_in_the_list_twice_is_one() -> None:
    items = [{"chargeBoxId": "A", "uuid": "1", "description": word} for word in ("first", "last")]
    told = read_chargers([*items, {"chargeBoxId": "B"}, {"description": "x"}, {"description": "x"}], zone=ZONE).chargers
    found = recognised(told, ())
    assert [(each.key, each.description) for each in found[:2]] == [("A", "last"), ("B", None)]
    assert len(found) == 4  # of those that name themselves by nothing nobody can say


def test_figures_that_can_not_be_right_are_marked_and_kept() -> None:
    def doubts(**given: Any) -> tuple[str, ...]:
        return merged(None, a_session(**given), power_w=7400).doubts

    assert doubts(energy_mwh=14_000_000) == ()
    assert doubts(energy_mwh=40_000_000) == (Doubt.TOO_MUCH,)
    assert doubts(energy_mwh=9_000_000, start_mwh=0, stop_mwh=9_000_000) == ()
    assert doubts(energy_mwh=9_000_000, start_mwh=0, stop_mwh=9_000) == (Doubt.UNIT,)
    assert doubts(energy_mwh=9_000_000, start_mwh=0, stop_mwh=5_000_000) == (Doubt.METER_DIFFERS,)
    assert doubts(stopped_at=datetime(2026, 1, 30, tzinfo=UTC)) == (Doubt.BACKWARDS,)
    lasted_s = (a_session().stopped_at - a_session().started_at).total_seconds()  # type: ignore[operator]
    assert doubts(idle_s=lasted_s) == ()
    assert doubts(idle_s=lasted_s * 1000) == (Doubt.IDLE,)  # in milliseconds, and each minute may cost something


@given(st.lists(st.none() | st.integers(0, 10**9), min_size=1, max_size=8))
def test_energy_never_falls_and_a_fall_is_marked(told: list[int | None]) -> None:
    kept: Session | None = None
    most = None
    for energy in told:
        kept = merged(kept, a_session(energy_mwh=energy), power_w=None)
        most = energy if most is None else max(most, energy if energy is not None else most)
        assert kept.energy_mwh == most
    last = next((each for each in reversed(told) if each is not None), None)
    assert kept is not None
    assert (Doubt.SHRANK in kept.doubts) == (last is not None and most is not None and last < most)
