"""Closing the legs: what is planned, what is known of each order, and what that means. Pure.

1. A close plans, for each leg, how much is to be closed of what stood there.
2. Each order has an intent, stored before it is sent; its client order id is never used again.
3. An intent is settled by the exchange's word alone. "No such order" is a proof only once nothing of it can be on its way
   any more (`settles_at`, by the exchange's clock), and only where the position has not shrunk by something else that nobody
   has explained.
4. What is sent next is never more than is left of the plan, and never more than stands there.
"""

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal, localcontext
from enum import StrEnum
from typing import Final
from uuid import UUID

import msgspec

from atalaia.integrations.binance.exchange.port import OrderReport, Side, SymbolRules
from atalaia.integrations.binance.exchange.rules import round_down, split
from atalaia.integrations.binance.model.money import EXACT, ZERO, total
from atalaia.integrations.binance.model.states import Word

# The exchange's books may lag behind each other by this, and no more.
LOOKUP_GRACE: Final = timedelta(seconds=60)


class IntentState(StrEnum):
    OPEN = "open"  # stored, and perhaps sent: what became of it is not known
    DONE = "done"  # over at the exchange; `executed` says how much of it
    NOT_DONE = "not_done"  # surely nothing of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """`settles_at`, by the exchange's clock: from then on nothing that was not executed can be."""

    client_order_id: str
    side: Side
    attempt: int  # from 1, counted for each leg of an operation
    quantity: Decimal
    settles_at: datetime
    state: IntentState = IntentState.OPEN
    order_id: int | None = None
    executed: Decimal = ZERO
    average_price: Decimal | None = None
    exchange_code: int | None = None
    failure: str = ""


class LegPlan(msgspec.Struct, frozen=True, kw_only=True):
    """`stood` is what the position held when the plan was made, `quantity` what of it is to be closed."""

    side: Side
    stood: Decimal
    quantity: Decimal
    entry: Decimal


def client_order_id(operation_id: str, side: Side, attempt: int) -> str:
    """36 characters at most; see exchange.port.CLIENT_ORDER_ID."""
    short = base64.urlsafe_b64encode(UUID(operation_id).bytes).rstrip(b"=").decode()
    return f"at:{short}:{side.value[0]}{attempt}"


def plan_of(stood: Mapping[Side, tuple[Decimal, Decimal]], rules: SymbolRules) -> tuple[LegPlan, ...]:
    """Of (amount, entry) of each leg. What is less than a step can't be closed, and is left out."""
    plans = (
        LegPlan(side=side, stood=amount, quantity=round_down(amount, rules.step), entry=entry)
        for side, (amount, entry) in sorted(stood.items())
    )
    return tuple(plan for plan in plans if plan.quantity > 0)


def intents_for(
    operation_id: str,
    left: Mapping[Side, Decimal],
    rules: SymbolRules,
    *,
    earlier: Sequence[Intent],
    settles_at: datetime,
) -> list[Intent]:
    """Orders for what is left of each leg, with ids that were never used."""
    made: list[Intent] = []
    for side, quantity in sorted(left.items()):
        first = 1 + max((intent.attempt for intent in earlier if intent.side is side), default=0)
        made += [
            Intent(
                client_order_id=client_order_id(operation_id, side, attempt),
                side=side,
                attempt=attempt,
                quantity=part,
                settles_at=settles_at,
            )
            for attempt, part in enumerate(split(quantity, rules), first)
        ]
    return made


def told(intent: Intent, report: OrderReport) -> Intent:
    """The intent after the exchange has told of its order."""
    known = replace(
        intent, order_id=report.order_id, executed=report.executed, average_price=report.average_price, failure=""
    )
    if not report.is_final:
        return known
    if report.executed > 0:
        return replace(known, state=IntentState.DONE)
    return replace(known, state=IntentState.NOT_DONE, failure=f"it ended as {report.status}")


def absent(intent: Intent, *, asked_at: datetime, unexplained: Decimal) -> Intent:
    """The intent after the exchange has said that it knows of no such order.

    `asked_at` by the exchange's clock; `unexplained` is how much of the position is gone that no known order took.
    """
    if asked_at <= intent.settles_at:
        return intent
    if unexplained > 0 and asked_at <= intent.settles_at + LOOKUP_GRACE:
        return intent
    return replace(intent, state=IntentState.NOT_DONE, failure="the exchange knows of no such order")


def executed_of(side: Side, intents: Iterable[Intent]) -> Decimal:
    return total(intent.executed for intent in intents if intent.side is side)


def unexplained_of(plan: LegPlan, intents: Iterable[Intent], amount: Decimal) -> Decimal:
    """How much of the leg is gone that none of our orders is known to have taken; 0 where there is even more than there was."""
    with localcontext(EXACT):
        return max(ZERO, plan.stood - executed_of(plan.side, intents) - amount)


def left_of(plan: LegPlan, intents: Iterable[Intent], amount: Decimal, rules: SymbolRules) -> Decimal:
    """What is still to be closed: of the plan, and of what stands there."""
    with localcontext(EXACT):
        left = plan.quantity - executed_of(plan.side, intents)
        return max(ZERO, min(left, round_down(amount, rules.step)))


def judge(plans: Sequence[LegPlan], intents: Sequence[Intent]) -> Word:
    """By our orders alone; what others did to the position is for `judge_left`."""
    executed = {plan.side: executed_of(plan.side, intents) for plan in plans}
    if any(intent.state is IntentState.OPEN for intent in intents):
        return Word.PART_UNKNOWN if any(executed.values()) else Word.UNKNOWN
    if all(executed[plan.side] >= plan.quantity for plan in plans):
        return Word.BOTH
    return Word.PART if any(executed.values()) else Word.NOTHING


def judge_left(word: Word, left: Mapping[Side, Decimal]) -> Word:
    """The same, once the position has been seen: a leg that somebody else has closed is closed."""
    return Word.BOTH if word is Word.PART and not any(left.values()) else word
