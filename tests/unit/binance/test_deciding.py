"""When an operation is to be closed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atalaia.integrations.binance.model.deciding import Decision, Reason, Undecided, Wishes, decide
from atalaia.integrations.binance.model.operations import LONGEST_WAIT, Operation, Point
from atalaia.integrations.binance.model.result import Result
from atalaia.integrations.binance.model.thinning import APART, MOST, is_due, to_drop

values = st.decimals(min_value=-1000, max_value=1000, places=2)
WISHES = Wishes(profit_target=Decimal(100), stop_loss=Decimal(50))
NOTHING = Result(
    long=None,
    short=None,
    mark=Decimal(1),
    gross=Decimal(0),
    fees=Decimal(0),
    funding=Decimal(0),
    net=Decimal(0),
    basis=Decimal(0),
)


def decided(value: Decimal, wishes: Wishes = WISHES, *, peak: Decimal | None = None, age_s: float = 0) -> Decision:
    result = replace(NOTHING, net=value, gross=value + 1000)
    return decide(result, wishes, peak=peak, price_age_s=age_s, max_price_age_s=5)


@given(values)
def test_target_and_stop_loss_are_reached_at_their_very_value(value: Decimal) -> None:
    wanted = Reason.TARGET if value >= 100 else Reason.STOP_LOSS if value <= -50 else None
    assert decided(value).reason is wanted


@pytest.mark.parametrize(("age_s", "is_decided"), [(-3, True), (5, True), (5.001, False)])
def test_an_old_price_decides_nothing(age_s: float, is_decided: bool) -> None:
    decision = decided(Decimal(500), age_s=age_s)
    assert (decision.reason is Reason.TARGET) is is_decided
    assert (decision.undecided is Undecided.STALE_PRICE) is not is_decided


def test_without_positions_or_costs_nothing_is_decided() -> None:
    def of(result: Result | None) -> Undecided | None:
        return decide(result, WISHES, peak=None, price_age_s=0, max_price_age_s=5).undecided

    assert of(None) is Undecided.NO_POSITION
    assert of(replace(NOTHING, fees=None, net=None)) is Undecided.COSTS_UNKNOWN


def test_gross_leaves_fees_and_funding_out() -> None:
    gross = replace(WISHES, is_gross=True)
    result = replace(NOTHING, gross=Decimal(100), net=None)
    assert decide(result, gross, peak=None, price_age_s=0, max_price_age_s=5).reason is Reason.TARGET


@given(st.lists(values, max_size=40), st.decimals(min_value=1, max_value=200, places=1))
def test_a_trailing_target_closes_at_the_first_fall_of_its_size_after_the_target(
    path: list[Decimal], trailing: Decimal
) -> None:
    wishes = Wishes(profit_target=Decimal(100), trailing=trailing)
    peak: Decimal | None = None
    highest: Decimal | None = None
    for value in path:
        decision = decided(value, wishes, peak=peak)
        if highest is not None or value >= 100:
            highest = value if highest is None else max(highest, value)
        should_close = highest is not None and value <= highest - trailing
        assert decision.reason is (Reason.TRAILING if should_close else None)
        assert decision.peak == highest
        if should_close:
            return
        peak = decision.peak


def test_an_old_price_keeps_the_peak() -> None:
    wishes = Wishes(profit_target=Decimal(100), trailing=Decimal(10))
    assert decided(Decimal(0), wishes, peak=Decimal(130), age_s=60).peak == 130


def test_points_are_apart_and_thinned_from_the_old_end() -> None:
    start = datetime(2026, 1, 15, tzinfo=UTC)
    first = Point(start, Decimal(1))
    assert is_due(None, first)
    assert not is_due(first, Point(start + 2 * APART, Decimal(1))), "nothing has changed"
    assert not is_due(first, Point(start + APART / 2, Decimal(2)))
    assert is_due(first, Point(start + APART, Decimal(2)))
    points = [Point(start + timedelta(seconds=second), Decimal(second)) for second in range(MOST + 1)]
    dropped = set(to_drop(points))
    assert to_drop(points[:MOST]) == []
    assert points[0].at not in dropped
    assert {point.at for point in points[-300:]} & dropped == set()
    assert len(dropped) > 150


@pytest.mark.parametrize("age_s", [6, -6, float("inf"), float("-inf")])
def test_upon_a_price_of_another_time_nothing_is_decided(age_s: float) -> None:
    assert decided(Decimal(200), age_s=age_s).undecided is Undecided.STALE_PRICE


def test_after_a_clock_was_put_back_points_go_on() -> None:
    first = Point(datetime(2026, 1, 31, 12, tzinfo=UTC), Decimal(1))
    assert is_due(first, Point(first.at - timedelta(hours=1), Decimal(2)))


def test_after_a_clock_was_put_back_no_try_waits_longer_than_the_longest() -> None:
    """One leg stood alone for an hour, since the other's next try was not due."""
    now = datetime(2026, 1, 31, 12, tzinfo=UTC)
    operation = Operation(
        id="o", account_id="a", symbol="BTCUSDT", name="o", wishes=WISHES, auto_close_enabled=True, dry_run=False,
        opened_at=now, updated_at=now, retry_at=now + LONGEST_WAIT,
    )  # fmt: skip
    assert operation.is_waiting(now)
    assert not operation.is_waiting(now + LONGEST_WAIT)
    assert not operation.is_waiting(now - timedelta(hours=1))
    assert not replace(operation, retry_at=None).is_waiting(now)
