"""Who has fallen silent: what can't be known is not said."""

from datetime import UTC, datetime, timedelta

from atalaia.agents.model.silence import Change, Heard, changes

NOW = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=1)


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def found(
    last_s: float, *, silent: bool = False, fresher_s: float | None = None, since: datetime = LONG_AGO
) -> list[Change]:
    heard = Heard("a", "sp-1", ago(last_s), ago(last_s) if silent else None)
    fresher = {} if fresher_s is None else {"a": ago(fresher_s)}
    return changes([heard], fresher=fresher, listening_since=since, now=NOW)


def test_a_minute_without_a_word_is_silence() -> None:
    assert found(59) == []
    assert [change.is_silent for change in found(60)] == [True]


def test_silence_is_told_once() -> None:
    assert found(600, silent=True) == []


def test_a_word_ends_it() -> None:
    assert [change.is_silent for change in found(5, silent=True)] == [False]


def test_a_word_that_is_not_written_down_yet_counts() -> None:
    assert found(300, fresher_s=2) == []
    assert [change.is_silent for change in found(300, silent=True, fresher_s=2)] == [False]


def test_nobody_is_blamed_for_the_time_in_which_the_hub_did_not_listen() -> None:
    assert found(3600, since=ago(59)) == []
    assert len(found(3600, since=ago(60))) == 1


def test_an_instant_from_before_the_clock_was_set_back_says_nothing() -> None:
    assert found(-3600, since=ago(59)) == []
    assert len(found(-3600, since=ago(61))) == 1
