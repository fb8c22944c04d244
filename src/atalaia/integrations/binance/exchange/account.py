"""One account over HTTP: see port.Account."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import count
from typing import Final

from atalaia.core.clock import to_ms
from atalaia.core.translations import N_
from atalaia.integrations.binance.exchange import answers, parsing
from atalaia.integrations.binance.exchange.failures import Limited, NotDone, OutcomeUnknown, Refused
from atalaia.integrations.binance.exchange.judging import TOO_MANY_ORDERS
from atalaia.integrations.binance.exchange.port import (
    Fill,
    Income,
    Order,
    OrderReport,
    Position,
    Rates,
    Restrictions,
    Side,
)
from atalaia.integrations.binance.exchange.rules import plain
from atalaia.integrations.binance.exchange.sending import Caller
from atalaia.integrations.binance.exchange.signed import Signer
from atalaia.integrations.binance.exchange.weights import OrderCounts

_ORDER: Final = "/fapi/v1/order"
_NO_SUCH_ORDER: Final = -2013
_PAGE: Final = 1000
_FIRST_TRADE: Final = 1
_CLOSED_BY: Final = {Side.LONG: "SELL", Side.SHORT: "BUY"}


class HttpAccount:
    def __init__(self, futures: Caller, rights: Caller, signer: Signer, *, counts: OrderCounts) -> None:
        self._futures = futures
        self._rights = rights
        self._signer = signer
        self._counts = counts

    async def positions(self) -> Sequence[Position]:
        return await self._signer.read(
            self._futures,
            "positions",
            "/fapi/v3/positionRisk",
            shape=list[answers.PositionRow],
            make=lambda rows, _now: parsing.positions_of(rows),
        )

    async def rates(self, symbol: str) -> Rates:
        return await self._signer.read(
            self._futures,
            "rates",
            "/fapi/v1/commissionRate",
            {"symbol": symbol},
            shape=answers.RateRow,
            make=lambda row, _now: parsing.rates_of(row),
        )

    async def income(self, symbol: str | None, since: datetime, *, kind: str | None = None) -> Sequence[Income]:
        params = {"limit": str(_PAGE), "startTime": str(to_ms(since))}
        if symbol is not None:
            params["symbol"] = symbol
        if kind is not None:
            params["incomeType"] = kind
        found: list[Income] = []
        for number in count(1):
            page = await self._income({**params, "page": str(number)})
            # What comes in meanwhile may push rows from one page to the next. Within a page nothing is a repeat.
            known = set(found)
            new = [each for each in page if each not in known]
            found += new
            if len(page) < _PAGE or not new:
                break
        return sorted(found, key=lambda each: each.at)

    async def _income(self, params: Mapping[str, str]) -> Sequence[Income]:
        return await self._signer.read(
            self._futures,
            "income",
            "/fapi/v1/income",
            params,
            shape=list[answers.IncomeRow],
            make=lambda rows, _now: parsing.income_of(rows),
        )

    async def is_hedge_mode(self) -> bool:
        return await self._signer.read(
            self._futures,
            "hedge_mode",
            "/fapi/v1/positionSide/dual",
            shape=answers.HedgeMode,
            make=lambda row, _now: row.dual_side_position,
        )

    @property
    def settling_s(self) -> float:
        return self._signer.settling_s

    async def send(self, order: Order, *, not_after: datetime | None = None) -> OrderReport:
        if (wait_s := self._counts.wait_s()) > 0:
            raise Limited(
                N_("The account has sent as many orders as it may."),
                retry_after_s=wait_s,
                exchange_code=TOO_MANY_ORDERS,
            )

        async def send(form: str, now: datetime) -> OrderReport:
            if not_after is not None and now > not_after:
                raise NotDone(N_("It is too late for this order: nothing was sent."))
            try:
                return await self._futures.act(
                    "send_order",
                    _ORDER,
                    form,
                    shape=answers.OrderRow,
                    make=lambda row: parsing.report_of(row, asked=order.client_order_id, now=now),
                )
            except OutcomeUnknown as error:
                error.settles_at = now + timedelta(seconds=self._signer.settling_s)
                raise

        return await self._signer.in_time(params_of(order), send)

    async def find(self, symbol: str, client_order_id: str) -> OrderReport | None:
        try:
            return await self._signer.read(
                self._futures,
                "find_order",
                _ORDER,
                {"symbol": symbol, "origClientOrderId": client_order_id},
                shape=answers.OrderRow,
                make=lambda row, now: parsing.report_of(row, asked=client_order_id, now=now),
            )
        except Refused as error:
            if error.exchange_code == _NO_SUCH_ORDER:
                return None
            raise

    async def fills(self, symbol: str, order_id: int) -> Sequence[Fill]:
        page = await self._fills(symbol, order_id)
        if len(page) < _PAGE:
            return sorted(page, key=lambda each: each.trade_id)
        # Without `fromId` the newest come, and these may not be all of it: once more, from the beginning.
        found: list[Fill] = []
        while len(page) == _PAGE:
            page = await self._fills(symbol, order_id, from_id=found[-1].trade_id + 1 if found else _FIRST_TRADE)
            found += sorted(page, key=lambda each: each.trade_id)
        return found

    async def _fills(self, symbol: str, order_id: int, *, from_id: int | None = None) -> Sequence[Fill]:
        params = {"symbol": symbol, "orderId": str(order_id), "limit": str(_PAGE)}
        return await self._signer.read(
            self._futures,
            "fills",
            "/fapi/v1/userTrades",
            params if from_id is None else {**params, "fromId": str(from_id)},
            shape=list[answers.TradeRow],
            make=lambda rows, _now: parsing.fills_of(rows),
        )

    async def restrictions(self) -> Restrictions:
        return await self._signer.read(
            self._rights,
            "restrictions",
            "/sapi/v1/account/apiRestrictions",
            shape=answers.RestrictionsRow,
            make=lambda row, _now: parsing.restrictions_of(row),
        )


def params_of(order: Order) -> dict[str, str]:
    """A MARKET order that closes a leg in hedge mode, where `reduceOnly` is not taken (−1106)."""
    return {
        "symbol": order.symbol,
        "side": _CLOSED_BY[order.side],
        "positionSide": order.side.value,
        "type": "MARKET",
        "quantity": plain(order.quantity),
        "newClientOrderId": order.client_order_id,
        "newOrderRespType": "RESULT",
    }
