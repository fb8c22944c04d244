"""What needs no account, over HTTP: see port.Market."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from atalaia.core.clock import from_ms
from atalaia.integrations.binance.exchange import answers, parsing
from atalaia.integrations.binance.exchange.failures import NotDone, Refused
from atalaia.integrations.binance.exchange.port import Price, SymbolRules
from atalaia.integrations.binance.exchange.sending import Caller
from atalaia.integrations.binance.exchange.times import ServerClock
from atalaia.integrations.binance.exchange.weights import UsedWeight
from atalaia.sdk.failures import BadPayload
from atalaia.sdk.upstreams import Upstream

_RULES_FRESH_S: Final = 3600.0
_RULES_STALE_S: Final = 86_400.0


class HttpMarket:
    def __init__(
        self, caller: Caller, upstream: Callable[[], Upstream], *, times: ServerClock, weights: UsedWeight
    ) -> None:
        self._caller = caller
        self._upstream = upstream
        self._times = times
        self._weights = weights

    async def prices(self) -> Mapping[str, Price]:
        return await self._caller.read(
            "prices", "/fapi/v1/premiumIndex", "", shape=list[answers.PriceRow], make=parsing.prices_of
        )

    async def rules(self) -> Mapping[str, SymbolRules]:
        cached = await self._upstream().cached(
            "rules", self._read_rules, fresh_s=_RULES_FRESH_S, stale_s=_RULES_STALE_S
        )
        return cached.value

    async def server_time(self) -> datetime:
        return from_ms((await self._times.now()).ms)

    async def _read_rules(self) -> Mapping[str, SymbolRules]:
        return await self._caller.read(
            "rules", "/fapi/v1/exchangeInfo", "", shape=answers.ExchangeInfo, make=self._rules_of
        )

    def _rules_of(self, info: answers.ExchangeInfo) -> Mapping[str, SymbolRules]:
        self._weights.limit = parsing.weight_limit_of(info) or self._weights.limit
        return parsing.rules_of(info)


async def ask_time(caller: Caller) -> int:
    """In ms. Raises: NotDone, Limited: whoever needed the time has not even begun."""
    try:
        return await caller.read(
            "time", "/fapi/v1/time", "", shape=answers.ServerTime, make=lambda row: row.server_time
        )
    except (Refused, BadPayload) as error:
        raise NotDone(error.message, hint=error.hint, **error.params) from error
