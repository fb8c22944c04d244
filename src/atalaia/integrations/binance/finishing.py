"""The end of a close: what the fills really brought becomes history, and the operation leaves, in one transaction."""

import asyncio
from collections.abc import Sequence
from decimal import Decimal

from atalaia.integrations.binance.exchange.port import FUNDING_FEE, Account
from atalaia.integrations.binance.model.deciding import Reason
from atalaia.integrations.binance.model.history import FillKept, Sums, Trade, funding_of, is_whole, kept, sums_of
from atalaia.integrations.binance.model.legs import Intent
from atalaia.integrations.binance.model.money import plain, total
from atalaia.integrations.binance.model.operations import Operation, Point
from atalaia.integrations.binance.model.states import Word, then
from atalaia.integrations.binance.queries import history, operations
from atalaia.integrations.binance.telling import Telling
from atalaia.sdk.signals import SignalRun
from atalaia.sdk.transaction import Tx


class Finishing:
    def __init__(self, run: SignalRun, telling: Telling, account: Account, *, account_name: str) -> None:
        self._run = run
        self._telling = telling
        self._account = account
        self._account_name = account_name

    async def finish(self, operation: Operation, intents: Sequence[Intent]) -> bool:
        """False: the fills are not all told yet; it is tried again with the next run."""
        then(operation.state, Word.BOTH)
        fills = await self._fills(operation, [intent for intent in intents if intent.executed > 0])
        if fills is None:
            return False
        sums = sums_of(operation.symbol, operation.plan, fills)
        closed_at = max(fill.at for fill in fills)
        income = await self._account.income(operation.symbol, operation.opened_at, kind=FUNDING_FEE)
        funding = funding_of(operation.symbol, income, since=operation.opened_at, until=closed_at)
        trade = self._trade(operation, sums, funding)

        def unit(tx: Tx) -> bool:
            if not operations.remove(tx, operation.id, state=operation.state):
                return False
            history.add_trade(tx, trade)
            value = trade.gross if trade.wishes.is_gross else trade.net
            history.add_points(tx, [(operation.id, Point(trade.closed_at, value))])
            self._telling.closed(tx, operation, trade)
            return True

        return await self._run.write(unit)

    async def _fills(self, operation: Operation, done: Sequence[Intent]) -> list[FillKept] | None:
        """All of them, in the order in which they were; None: some are not there yet."""
        lists = await asyncio.gather(
            *(self._account.fills(operation.symbol, intent.order_id) for intent in done if intent.order_id is not None)
        )
        if not all(is_whole(intent, fills) for intent, fills in zip(done, lists, strict=True)):
            return None
        found = [kept(intent.side, fill) for intent, fills in zip(done, lists, strict=True) for fill in fills]
        return sorted(found, key=lambda fill: (fill.at, fill.trade_id))

    def _trade(self, operation: Operation, sums: Sums, funding: Decimal) -> Trade:
        return Trade(
            id=operation.id,
            account_id=operation.account_id,
            account=self._account_name,
            symbol=operation.symbol,
            name=operation.name,
            reason=operation.reason or Reason.BY_HAND,
            wishes=operation.wishes,
            gross=sums.gross,
            fees=sums.fees,
            other_fees={asset: plain(amount) for asset, amount in sums.other_fees.items()},
            funding=funding,
            net=total([sums.gross, -sums.fees, funding]),
            basis=sums.basis,
            legs=sums.legs,
            fills=sums.fills,
            opened_at=operation.opened_at,
            closed_at=max(fill.at for fill in sums.fills),
        )
