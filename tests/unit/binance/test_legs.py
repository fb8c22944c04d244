"""Closing the legs: nothing is sent that may be done already, and never more than stands there."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atalaia.core.ids import new_id
from atalaia.integrations.binance.exchange.port import CLIENT_ORDER_ID, OrderReport, Side, SymbolRules
from atalaia.integrations.binance.model.legs import (
    LOOKUP_GRACE,
    Intent,
    IntentState,
    LegPlan,
    absent,
    client_order_id,
    intents_for,
    judge,
    judge_left,
    left_of,
    plan_of,
    told,
    unexplained_of,
)
from atalaia.integrations.binance.model.states import Word

AT = datetime(2026, 1, 15, 12, tzinfo=UTC)
ID = "0198f7a3-6c1e-7d22-8a51-0242ac120002"
RULES = SymbolRules(
    step=Decimal("0.001"),
    market_max=Decimal(120),
    market_min=Decimal("0.001"),
    price_tick=Decimal("0.1"),
    min_notional=Decimal(5),
)
PLANS = tuple(LegPlan(side=side, stood=Decimal("0.1"), quantity=Decimal("0.1"), entry=Decimal(60000)) for side in Side)
quantities = st.decimals(min_value=0, max_value=2000, places=5)
states = st.sampled_from(list(IntentState))


def intent(side: Side = Side.LONG, **known: object) -> Intent:
    made = Intent(client_order_id="x", side=side, attempt=1, quantity=Decimal("0.1"), settles_at=AT)
    return replace(made, **known)  # type: ignore[arg-type]


def report(status: str, executed: str) -> OrderReport:
    return OrderReport(
        order_id=7, client_order_id="x", status=status, executed=Decimal(executed), average_price=None, at=AT
    )


def test_a_client_order_id_is_taken_by_the_exchange_and_never_made_twice() -> None:
    made = {client_order_id(new_id(), side, attempt) for side in Side for attempt in (1, 12, 99_999) for _ in range(50)}
    assert len(made) == 300
    assert all(re.match(CLIENT_ORDER_ID, each) for each in made)
    assert client_order_id(ID, Side.LONG, 1) == client_order_id(ID, Side.LONG, 1)


@given(quantities, st.integers(0, 5))
def test_intents_sum_up_to_what_is_left_with_ids_that_are_new(quantity: Decimal, earlier: int) -> None:
    former = [intent(attempt=number + 1, state=IntentState.NOT_DONE) for number in range(earlier)]
    made = intents_for(ID, {Side.LONG: quantity}, RULES, earlier=former, settles_at=AT)
    assert sum(each.quantity for each in made) == quantity // RULES.step * RULES.step
    assert [each.attempt for each in made] == list(range(earlier + 1, earlier + 1 + len(made)))
    assert all(each.quantity <= RULES.market_max for each in made)


def test_what_is_less_than_a_step_is_no_leg() -> None:
    plans = plan_of({Side.LONG: (Decimal("0.0005"), Decimal(1)), Side.SHORT: (Decimal("0.0125"), Decimal(1))}, RULES)
    assert [(plan.side, plan.quantity) for plan in plans] == [(Side.SHORT, Decimal("0.012"))]


@pytest.mark.parametrize(
    ("status", "executed", "state"),
    [
        ("NEW", "0", IntentState.OPEN),
        ("PARTIALLY_FILLED", "0.04", IntentState.OPEN),
        ("FILLED", "0.1", IntentState.DONE),
        ("EXPIRED", "0.04", IntentState.DONE),
        ("EXPIRED", "0", IntentState.NOT_DONE),
        ("REJECTED", "0", IntentState.NOT_DONE),
    ],
)
def test_what_the_exchange_says_of_an_order_settles_it(status: str, executed: str, state: IntentState) -> None:
    known = told(intent(), report(status, executed))
    assert (known.state, known.executed, known.order_id) == (state, Decimal(executed), 7)


@given(st.floats(-30, 120), quantities)
def test_no_such_order_is_a_proof_only_late_and_where_the_position_is_explained(
    seconds: float, unexplained: Decimal
) -> None:
    asked_at = AT + timedelta(seconds=seconds)
    is_proven = asked_at > AT and (unexplained == 0 or asked_at > AT + LOOKUP_GRACE)
    state = absent(intent(), asked_at=asked_at, unexplained=unexplained).state
    assert state is (IntentState.NOT_DONE if is_proven else IntentState.OPEN)


@given(st.lists(st.tuples(st.sampled_from(list(Side)), states, st.integers(0, 100)), max_size=6))
def test_while_one_is_open_nothing_is_sent_and_nothing_over(rows: list[tuple[Side, IntentState, int]]) -> None:
    intents = [
        intent(side, state=state, executed=Decimal(0 if state is IntentState.NOT_DONE else executed) / 1000)
        for side, state, executed in rows
    ]
    word = judge(PLANS, intents)
    is_open = any(each.state is IntentState.OPEN for each in intents)
    is_begun = any(each.executed for each in intents)
    assert (word in {Word.UNKNOWN, Word.PART_UNKNOWN}) is is_open
    if word is Word.NOTHING:
        assert not is_begun
    if word in {Word.PART, Word.PART_UNKNOWN}:
        assert is_begun
    if word is Word.BOTH:
        for plan in PLANS:
            assert sum(each.executed for each in intents if each.side is plan.side) >= plan.quantity


@given(quantities, quantities, quantities)
def test_what_is_left_is_within_the_plan_and_within_the_position(
    stood: Decimal, executed: Decimal, amount: Decimal
) -> None:
    plan = LegPlan(side=Side.LONG, stood=stood, quantity=stood // RULES.step * RULES.step, entry=Decimal(1))
    done = [intent(state=IntentState.DONE, executed=executed)]
    left = left_of(plan, done, amount, RULES)
    assert 0 <= left <= amount
    assert left == 0 or left <= plan.quantity - executed
    assert unexplained_of(plan, done, amount) == max(Decimal(0), stood - executed - amount)


def test_a_leg_that_somebody_else_has_closed_is_closed() -> None:
    assert judge_left(Word.PART, {Side.SHORT: Decimal(0)}) is Word.BOTH
    assert judge_left(Word.PART, {Side.SHORT: Decimal("0.1")}) is Word.PART
    assert judge_left(Word.NOTHING, {Side.SHORT: Decimal(0)}) is Word.NOTHING, "none of it was our doing"
