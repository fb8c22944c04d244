"""Closing operations of one account within one run: an intent is stored, then sent, then what came of it is stored.

1. What is to be closed, and an intent for each order, are stored in one transaction (fenced). Only then is anything sent.
2. Both legs are sent at once. What each answer means is stored in one transaction.
3. Of an order whose outcome is not known, the exchange is asked by its client order id; it is never sent again.
4. Where a part is closed, what is left of it, by plan and by position, is sent once more under a new id, and told as an
   incident if that fails too.
5. When both legs are closed, `finishing` writes the history.

A process may die between any two awaits: whoever comes next begins at 3, and knows no more than the store and the exchange.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple

from atalaia.core.redaction import scrub
from atalaia.integrations.binance.exchange.failures import Limited, NotDone, OutcomeUnknown, Refused
from atalaia.integrations.binance.exchange.port import Account, Market, Order, Side, SymbolRules
from atalaia.integrations.binance.finishing import Finishing
from atalaia.integrations.binance.model.deciding import Reason
from atalaia.integrations.binance.model.legs import (
    LOOKUP_GRACE,
    Intent,
    IntentState,
    LegPlan,
    absent,
    intents_for,
    judge,
    judge_left,
    left_of,
    told,
    unexplained_of,
)
from atalaia.integrations.binance.model.operations import Operation
from atalaia.integrations.binance.model.states import State, Word, then
from atalaia.integrations.binance.queries import operations, orders
from atalaia.integrations.binance.telling import Telling
from atalaia.sdk.failures import BadPayload
from atalaia.sdk.integration import Host
from atalaia.sdk.signals import SignalRun
from atalaia.sdk.transaction import Tx

# An intent that is not on its way by then is given up, so that a crash is never older than this and the exchange's window.
SEND_WITHIN: Final = timedelta(seconds=5)
DUPLICATE_ID: Final = -4116
Begun = tuple[Operation, list[Intent]]


class Chosen(NamedTuple):
    """`decided` is what it was decided upon, for the record."""

    operation: Operation
    reason: Reason
    plan: tuple[LegPlan, ...]
    decided: Mapping[str, Any]


class Closing:
    def __init__(self, run: SignalRun, host: Host, market: Market, account: Account, *, account_name: str) -> None:
        self._run = run
        self._clock = host.clock
        self._market = market
        self._account = account
        self._telling = Telling(host)
        self._finishing = Finishing(run, self._telling, account, account_name=account_name)

    async def begin(self, chosen: Sequence[Chosen]) -> list[BaseException]:
        """Close these; what went wrong with some of them."""
        rules = await self._market.rules()
        not_after = await self._market.server_time() + SEND_WITHIN

        def unit(tx: Tx) -> list[Begun]:
            begun: list[Begun] = []
            for operation, reason, plan, decided in chosen:
                to = then(operation.state, Word.WANTED)
                if operations.move(tx, operation, to, plan=plan, reason=str(reason)):
                    intents = self._intend(tx, operation, _quantities(plan), rules[operation.symbol], not_after)
                    self._telling.note(tx, operation, "closing", {"reason": str(reason), **decided})
                    begun.append((replace(operation, state=to, plan=plan, reason=reason), intents))
            return begun

        begun = await self._run.write(unit)
        closes = (self._close(operation, intents, not_after) for operation, intents in begun)
        done = await asyncio.gather(*closes, return_exceptions=True)
        return [each for each in done if each is not None]

    async def drive(self, operation: Operation, intents: Sequence[Intent]) -> None:
        """Go on with a close that was begun, wherever it stopped."""
        await self._go_on(operation, await self._settled(operation, intents), may_send=self._is_due(operation))

    async def _close(self, operation: Operation, intents: list[Intent], not_after: datetime) -> None:
        sent = await self._sent(operation, intents, not_after)
        await self._go_on(operation, await self._settled(operation, sent), may_send=True)

    async def _go_on(self, operation: Operation, intents: list[Intent], *, may_send: bool) -> None:
        """`may_send`: what is left of a part may be sent, once."""
        word = judge(operation.plan, intents)
        left: dict[Side, Decimal] = {}
        if word in {Word.PART, Word.NOTHING}:
            left = await self._left(operation, intents)
            word = judge_left(word, left)
        if word is Word.BOTH:
            if not await self._finishing.finish(operation, intents) and await self._is_late(intents):
                await self._run.write(lambda tx: self._telling.is_late(tx, operation))
        elif word is Word.NOTHING:
            await self._run.write(
                lambda tx: self._telling.given_back(tx, operation, intents, is_there=any(left.values()))
            )
        elif word is Word.PART and may_send:
            operation = await self._noted(operation, word, intents, is_last=False)
            sent = await self._send_left(operation, left, intents)
            await self._go_on(operation, await self._settled(operation, sent), may_send=False)
        elif word is not Word.PART or not self._is_waiting(operation):
            await self._noted(operation, word, intents, is_last=True)

    # -- sending

    def _intend(
        self,
        tx: Tx,
        operation: Operation,
        left: Mapping[Side, Decimal],
        rules: SymbolRules,
        not_after: datetime,
    ) -> list[Intent]:
        """Store what is going to be sent; with all that was sent before."""
        earlier = orders.of_operation(tx, operation.id)
        settles_at = not_after + timedelta(seconds=self._account.settling_s)
        made = intents_for(operation.id, left, rules, earlier=earlier, settles_at=settles_at)
        orders.add(tx, operation.id, operation.symbol, made, now=self._clock.now())
        return [*earlier, *made]

    async def _send_left(
        self, operation: Operation, left: Mapping[Side, Decimal], known: Sequence[Intent]
    ) -> list[Intent]:
        rules = (await self._market.rules())[operation.symbol]
        not_after = await self._market.server_time() + SEND_WITHIN

        def unit(tx: Tx) -> list[Intent]:
            intents = self._intend(tx, operation, left, rules, not_after)
            self._telling.note(tx, operation, "sent_again", {str(side): quantity for side, quantity in left.items()})
            return intents

        intents = await self._run.write(unit)
        settled = {intent.client_order_id for intent in known}
        return await self._sent(operation, intents, not_after, but_not=settled)

    async def _sent(
        self, operation: Operation, intents: Sequence[Intent], not_after: datetime, *, but_not: Iterable[str] = ()
    ) -> list[Intent]:
        """Send those that are open, all at once, and store what is known of them."""
        passed = set(but_not)
        fresh = [
            intent for intent in intents if intent.state is IntentState.OPEN and intent.client_order_id not in passed
        ]
        sends = (self._send(operation, intent, not_after) for intent in fresh)
        answers = await asyncio.gather(*sends, return_exceptions=True)
        known = [answer for answer in answers if isinstance(answer, Intent)]
        merged = await self._stored(operation, intents, known)
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer
        return merged

    async def _send(self, operation: Operation, intent: Intent, not_after: datetime) -> Intent:
        order = Order(
            symbol=operation.symbol,
            side=intent.side,
            quantity=intent.quantity,
            client_order_id=intent.client_order_id,
        )
        try:
            return told(intent, await self._account.send(order, not_after=not_after))
        except Refused as error:
            if error.exchange_code == DUPLICATE_ID:  # one of this id is there: it is asked for
                return replace(intent, failure=scrub(str(error)))
            return replace(
                intent, state=IntentState.NOT_DONE, exchange_code=error.exchange_code, failure=scrub(str(error))
            )
        except (NotDone, Limited) as error:
            code = error.exchange_code
            return replace(intent, state=IntentState.NOT_DONE, exchange_code=code, failure=scrub(str(error)))
        except OutcomeUnknown as error:
            settles_at = min(intent.settles_at, error.settles_at or intent.settles_at)
            return replace(intent, settles_at=settles_at, exchange_code=error.exchange_code, failure=scrub(str(error)))
        except BadPayload as error:
            return replace(intent, failure=scrub(str(error)))

    # -- asking

    async def _settled(self, operation: Operation, intents: Sequence[Intent]) -> list[Intent]:
        """Ask the exchange for each order of which nothing final is known."""
        open_ = [intent for intent in intents if intent.state is IntentState.OPEN]
        if not open_:
            return list(intents)
        before = await self._market.server_time()
        reports = await asyncio.gather(
            *(self._account.find(operation.symbol, intent.client_order_id) for intent in open_)
        )
        found = [told(intent, report) for intent, report in zip(open_, reports, strict=True) if report is not None]
        missing = [intent for intent, report in zip(open_, reports, strict=True) if report is None]
        # Its clock may have been read anew meanwhile: the earlier of both is the one that proves.
        asked_at = min(before, await self._market.server_time())
        if any(asked_at > intent.settles_at for intent in missing):
            found += await self._absent(operation, _merged(intents, found), missing, asked_at)
        return await self._stored(operation, intents, found)

    async def _absent(
        self, operation: Operation, intents: Sequence[Intent], missing: Sequence[Intent], asked_at: datetime
    ) -> list[Intent]:
        amounts = await self._amounts(operation)
        gone = {plan.side: unexplained_of(plan, intents, amounts[plan.side]) for plan in operation.plan}
        return [absent(intent, asked_at=asked_at, unexplained=gone[intent.side]) for intent in missing]

    async def _left(self, operation: Operation, intents: Sequence[Intent]) -> dict[Side, Decimal]:
        rules = (await self._market.rules())[operation.symbol]
        amounts = await self._amounts(operation)
        return {plan.side: left_of(plan, intents, amounts[plan.side], rules) for plan in operation.plan}

    async def _amounts(self, operation: Operation) -> dict[Side, Decimal]:
        """What stands of each leg now."""
        found = await self._account.positions()
        amounts = dict.fromkeys(Side, Decimal(0))
        return amounts | {each.side: each.amount for each in found if each.symbol == operation.symbol}

    # -- storing

    async def _stored(self, operation: Operation, intents: Sequence[Intent], known: Sequence[Intent]) -> list[Intent]:
        """Keep what has become known, if anything has; all intents as they are then."""
        was = {intent.client_order_id: intent for intent in intents}
        changed = [intent for intent in known if was[intent.client_order_id] != intent]

        def unit(tx: Tx) -> None:
            orders.settle(tx, changed, now=self._clock.now())
            for intent in changed:
                self._telling.order(tx, operation, intent)

        if changed:
            await self._run.write(unit)
        return _merged(intents, changed)

    async def _noted(self, operation: Operation, word: Word, intents: Sequence[Intent], *, is_last: bool) -> Operation:
        """The state that follows; `is_last`: nothing more is tried in this run."""
        return await self._run.write(lambda tx: self._telling.went_on(tx, operation, word, intents, is_last=is_last))

    async def _is_late(self, intents: Sequence[Intent]) -> bool:
        return await self._market.server_time() > max(intent.settles_at for intent in intents) + LOOKUP_GRACE

    def _is_due(self, operation: Operation) -> bool:
        return not operation.is_waiting(self._clock.now())

    def _is_waiting(self, operation: Operation) -> bool:
        """It was told before, and its next try is not due."""
        return operation.state is State.PARTIALLY_CLOSED and not self._is_due(operation)


def _quantities(plan: Iterable[LegPlan]) -> dict[Side, Decimal]:
    return {leg.side: leg.quantity for leg in plan}


def _merged(intents: Sequence[Intent], known: Iterable[Intent]) -> list[Intent]:
    newer = {intent.client_order_id: intent for intent in known}
    return [newer.get(intent.client_order_id, intent) for intent in intents]
