from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from atalaia.notify.model.grouping import Window, place_opening
from atalaia.notify.model.pace import GIVE_UP_AFTER, is_troubled, plan_retry
from tests.unit.notify.samples import NOW

AGE_S = st.floats(0, GIVE_UP_AFTER.total_seconds() * 2)


@given(AGE_S, st.integers(1, 1000), st.floats(0, 1, exclude_max=True), st.none() | st.floats(0, 1e6))
def test_a_message_is_tried_for_a_day_and_not_longer(
    age_s: float, attempts: int, chance: float, asked_s: float | None
) -> None:
    queued_at = NOW - timedelta(seconds=age_s)
    plan = plan_retry(
        attempts=attempts,
        queued_at=queued_at,
        now=NOW,
        is_permanent=False,
        retry_after_s=asked_s,
        chance=lambda: chance,
    )
    assert plan.is_dead == (NOW - queued_at >= GIVE_UP_AFTER)
    if plan.at is not None:
        assert NOW < plan.at <= queued_at + GIVE_UP_AFTER
        assert plan.at - NOW <= timedelta(hours=1)


def test_what_can_never_succeed_is_given_up_at_once() -> None:
    assert plan_retry(attempts=1, queued_at=NOW, now=NOW, is_permanent=True).is_dead


def test_a_wait_that_the_receiver_asks_for_is_kept() -> None:
    plan = plan_retry(attempts=1, queued_at=NOW, now=NOW, is_permanent=False, retry_after_s=120)
    assert plan.at == NOW + timedelta(seconds=120)


def test_a_channel_is_in_trouble_after_ten_minutes_without_success() -> None:
    assert not is_troubled(queued_at=NOW - timedelta(minutes=9), now=NOW, is_dead=False)
    assert is_troubled(queued_at=NOW - timedelta(minutes=10), now=NOW, is_dead=False)
    assert is_troubled(queued_at=NOW, now=NOW, is_dead=True)


def test_the_first_message_goes_at_once_and_what_follows_waits_for_the_windows_end() -> None:
    first = place_opening(None, now=NOW, group_wait_s=30)
    assert (first.due_at, first.is_held) == (NOW, False)
    later = NOW + timedelta(seconds=29)
    second = place_opening(first.window, now=later, group_wait_s=30)
    assert (second.due_at, second.is_held) == (NOW + timedelta(seconds=30), True)
    after = NOW + timedelta(seconds=30)
    third = place_opening(second.window, now=after, group_wait_s=30)
    assert (third.due_at, third.is_held, third.window) == (after, False, Window(after, after + timedelta(seconds=30)))


def test_a_route_without_grouping_sends_each_at_once() -> None:
    window = Window(NOW, NOW + timedelta(seconds=30))
    assert not place_opening(window, now=NOW, group_wait_s=0).is_held
