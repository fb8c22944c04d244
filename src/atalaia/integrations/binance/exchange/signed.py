"""Signed requests of one account: the exchange's time in each, and one more try where it does not take that time."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar

from atalaia.core.clock import from_ms
from atalaia.core.translations import N_
from atalaia.integrations.binance.exchange.failures import ClockSkew, NotDone
from atalaia.integrations.binance.exchange.port import Credentials
from atalaia.integrations.binance.exchange.sending import Caller
from atalaia.integrations.binance.exchange.signing import signed
from atalaia.integrations.binance.exchange.times import ServerClock

T = TypeVar("T")
S = TypeVar("S")
# Beyond the recvWindow: what errs in our reckoning of the exchange's time, and its own way from gateway to engine.
_MARGIN_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Signer:
    credentials: Credentials
    times: ServerClock
    recv_window_ms: Callable[[], int]

    async def read(
        self,
        caller: Caller,
        operation: str,
        path: str,
        params: Mapping[str, str] | None = None,
        *,
        shape: type[S],
        make: Callable[[S, datetime], T],
    ) -> T:
        """Raises: NotDone, Limited, Refused, BadPayload."""

        async def ask(text: str, now: datetime) -> T:
            return await caller.read(operation, path, text, shape=shape, make=lambda row: make(row, now))

        return await self.in_time(params or {}, ask)

    async def in_time(self, params: Mapping[str, str], send: Callable[[str, datetime], Awaitable[T]]) -> T:
        """`send` gets the signed text and the instant of it, by the exchange's clock.

        Raises:
            NotDone: the exchange does not take our time, twice; or can't be asked for it. Else what `send` raises.
        """
        now = await self.times.now()
        try:
            return await send(self._signed(params, now.ms), from_ms(now.ms))
        except ClockSkew:
            await self.times.renew(now.reading)
        now = await self.times.now()
        try:
            return await send(self._signed(params, now.ms), from_ms(now.ms))
        except ClockSkew as error:
            raise NotDone(
                N_("The exchange does not take this machine's time, not even its own read anew."), exchange_code=-1021
            ) from error

    @property
    def settling_s(self) -> float:
        """How long after its instant a signed request may still be taken."""
        return self.recv_window_ms() / 1000 + _MARGIN_S

    def _signed(self, params: Mapping[str, str], at_ms: int) -> str:
        return signed(params, self.credentials.api_secret, at_ms=at_ms, recv_window_ms=self.recv_window_ms())
