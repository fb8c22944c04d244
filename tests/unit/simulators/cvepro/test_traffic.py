"""The simulated day is one that can have been: nobody is at two chargers' plugs at once, and energy follows from power and time."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest

from atalaia_simulators.cvepro.history import BadHistory, past_sessions, read_history
from atalaia_simulators.cvepro.residents import flat_of, residents_of, tags_of
from atalaia_simulators.cvepro.sessions import Session
from atalaia_simulators.cvepro.traffic import LOCAL, sessions_of
from atalaia_simulators.cvepro.words import transaction_item

FIRST = date(2026, 1, 1)
DAYS = [FIRST + timedelta(days=n) for n in range(20)]


def sessions() -> list[Session]:
    return [each for day in DAYS for each in sessions_of(7, 20, day)]


def test_at_one_charger_they_come_one_after_the_other() -> None:
    by_charger: dict[int, list[Session]] = {}
    for each in sessions():
        by_charger.setdefault(each.charger.number, []).append(each)
    assert len(by_charger) == 20
    for found in by_charger.values():
        assert all(a.stop < b.start and a.meter_wh + a.whole_wh <= b.meter_wh for a, b in pairwise(found))


def test_energy_is_what_power_gives_in_the_time() -> None:
    for each in sessions():
        assert each.start <= each.full_at <= each.stop
        assert each.power_w <= each.charger.power_w
        assert each.whole_wh <= each.power_w * (each.full_at - each.start).total_seconds() / 3600
        assert 0 < each.soc_at(each.stop) <= 100
        item = transaction_item(each, each.stop)
        assert item["energy"] == item["stopValue"] - item["startValue"] == each.whole_wh


def test_most_come_in_the_evening() -> None:
    hours = [each.start.astimezone(LOCAL).hour for each in sessions()]
    assert sum(17 <= hour <= 21 for hour in hours) > len(hours) / 2
    assert any(each.idle_s > 3600 for each in sessions())


def test_each_tag_has_one_resident_and_each_resident_a_flat() -> None:
    tags = [tag for number in range(1, residents_of(20) + 1) for tag in tags_of(number)]
    assert len(tags) == len(set(tags)) > residents_of(20)
    assert flat_of(1) == "Apto 101"
    assert flat_of(37) == flat_of(1)


def test_a_past_has_as_many_sessions_as_it_was_asked_for() -> None:
    past = read_history({"days": 100, "sessions": 12_345, "seed": 3}, today=date(2026, 5, 1), chargers=20)
    assert past is not None
    found = [each for n in range(100) for each in past_sessions(past, 20, past.first + timedelta(days=n))]
    assert len(found) == len({each.id for each in found}) == 12_345
    assert max(each.stop for each in found) < datetime(2026, 5, 1, 3, tzinfo=UTC)
    assert past_sessions(past, 20, past.first) == past_sessions(past, 20, past.first)
    for wrong in (7, {"days": 0}, {"sessions": "many"}, {"days": 1, "sessions": 10_000}, {"end": "soon"}, {"dais": 1}):
        with pytest.raises(BadHistory):
            read_history(wrong, today=date(2026, 5, 1), chargers=20)
