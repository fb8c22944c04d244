"""How much connectors are in use: against looking at each minute of each connector."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from atalaia.integrations.cvepro.model.occupancy import occupancy

# With a change of the clock in between, by an hour and by half an hour; and one that is never on the hour of UTC.
AROUND = [
    (ZoneInfo("America/Sao_Paulo"), datetime(2018, 11, 3, 12, tzinfo=UTC)),
    (ZoneInfo("America/Sao_Paulo"), datetime(2018, 2, 17, 12, tzinfo=UTC)),
    (ZoneInfo("Australia/Lord_Howe"), datetime(2026, 4, 4, 6, tzinfo=UTC)),
    (ZoneInfo("Asia/Kathmandu"), datetime(2026, 5, 1, 0, tzinfo=UTC)),
]
USES = st.lists(st.tuples(st.sampled_from("abc"), st.integers(-500, 2500), st.integers(-30, 1200)), max_size=8)


@given(st.sampled_from(AROUND), USES, st.integers(0, 59), st.integers(1, 2000))
def test_it_is_what_each_minute_shows(
    around: tuple[ZoneInfo, datetime], told: list[tuple[str, int, int]], begins: int, lasts: int
) -> None:
    zone, start = around
    since, until = start + timedelta(minutes=begins), start + timedelta(minutes=begins + lasts)
    minute = timedelta(minutes=1)
    uses = [(name, start + minute * at, start + minute * (at + takes)) for name, at, takes in told]
    used: Counter[tuple[int, int]] = Counter()
    there: Counter[tuple[int, int]] = Counter()
    for n in range(lasts):
        at = since + minute * n
        local = at.astimezone(zone)
        there[local.weekday(), local.hour] += 3
        busy = {name for name, begin, end in uses if begin <= at < end}
        used[local.weekday(), local.hour] += len(busy)
    found = occupancy(uses, since, until, connectors=3, zone=zone)
    for day in range(7):
        for hour in range(24):
            slot = found.weekdays[day][hour]
            assert (slot.in_use_s, slot.connector_s) == (used[day, hour] * 60, there[day, hour] * 60)
            assert (slot.share is None) == (there[day, hour] == 0)
    assert found.whole.in_use_s == sum(used.values()) * 60
    assert sum(slot.in_use_s for slot in found.hours) == sum(used.values()) * 60


def test_a_connector_that_is_gone_by_now_was_there_too() -> None:
    since = datetime(2026, 5, 1, tzinfo=UTC)
    uses = [(name, since, since + timedelta(hours=1)) for name in "ab"]
    found = occupancy(uses, since, since + timedelta(hours=2), connectors=1, zone=ZoneInfo("UTC"))
    assert (found.connectors, found.whole.share) == (2, 0.5)
