"""The task `binance.auto_close`: one run looks at every operation once, and closes those whose time has come.

1. Without operations there is nothing to do, and nothing is asked.
2. One price request for all. Accounts are worked on side by side (`watching`); one that fails holds back no other.
3. Everything that is written is written through the run, so that a run that has lost its lease writes nothing.
"""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from atalaia.core.translations import N_
from atalaia.integrations.binance.exchange.failures import Limited, NotDone
from atalaia.integrations.binance.exchange.port import Account, Credentials, Exchange, Price
from atalaia.integrations.binance.model.legs import Intent
from atalaia.integrations.binance.model.operations import Watched
from atalaia.integrations.binance.model.states import State
from atalaia.integrations.binance.queries import accounts, operations, orders
from atalaia.integrations.binance.queries.accounts import AccountRow
from atalaia.integrations.binance.sealing import credentials_of
from atalaia.integrations.binance.troubles import Troubles
from atalaia.integrations.binance.watching import Memory, Part, Watching
from atalaia.sdk.integration import Host
from atalaia.sdk.signals import RunLost, RunOutcome, SignalRun
from atalaia.sdk.transaction import Tx

# An account that takes longer is left where it stands, as by a crash, and gone on with in the next run: the others wait for none.
PART_WITHIN_S: Final = 6.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What a run finds in the store."""

    watched: Mapping[str, Sequence[Watched]]  # by account
    accounts: Mapping[str, AccountRow]
    intents: Mapping[str, Sequence[Intent]]  # of operations that are being closed
    blocked: tuple[datetime, bool] | None

    @property
    def is_watching(self) -> bool:
        """Whether prices are needed."""
        return any(each.operation.state is State.ACTIVE for part in self.watched.values() for each in part)


class AutoClose:
    def __init__(self, host: Host, exchange: Exchange) -> None:
        self._host = host
        self._exchange = exchange
        self._troubles = Troubles(host)
        self._memories: dict[str, Memory] = {}
        self._credentials: dict[bytes, Credentials] = {}
        self._heard: datetime | None = None  # from other hubs, of the gate

    async def run(self, run: SignalRun) -> RunOutcome:
        """Raises: TemporaryFailure: nothing may be asked now, or no prices, or no account could be worked with; RunLost."""
        work = await self._host.read(gather_work)
        count = sum(len(part) for part in work.watched.values())
        if not count:
            return RunOutcome()
        self._check_gate(work.blocked)
        try:
            begun, wrong = await self._work(run, work)
        finally:
            await self._share_gate(work.blocked)
        params = {"operations": count, "begun": begun, "failed": len(wrong)}
        return RunOutcome(
            work=count,
            summary=N_("{operations} operations, {begun} closes begun, {failed} accounts failed"),
            params=params,
        )

    async def _work(self, run: SignalRun, work: Work) -> tuple[int, list[BaseException]]:
        prices = asyncio.ensure_future(self._prices(is_needed=work.is_watching))
        parts = [self._part(run, work, account_id, prices) for account_id in work.watched]
        try:
            told, *ended = await asyncio.gather(prices, *parts, return_exceptions=True)
        finally:
            prices.cancel()
        wrong = [each for each in ended if isinstance(each, BaseException)]
        for error in (*wrong, told):
            if isinstance(error, RunLost) or (isinstance(error, BaseException) and not isinstance(error, Exception)):
                raise error
        if isinstance(told, BaseException):
            raise told
        if wrong and len(wrong) == len(parts):
            raise wrong[0]
        return sum(each for each in ended if isinstance(each, int)), wrong

    async def _prices(self, *, is_needed: bool) -> Mapping[str, Price]:
        return await self._exchange.market.prices() if is_needed else {}

    async def _part(
        self, run: SignalRun, work: Work, account_id: str, prices: "asyncio.Future[Mapping[str, Price]]"
    ) -> int:
        """How many closes it has begun."""
        row = work.accounts[account_id]
        try:
            watching = self._watching(run, work, row, prices)
            await _in_time(watching.work())
        except RunLost:
            raise
        except Exception as error:
            is_of_prices = prices.done() and not prices.cancelled() and prices.exception() is error
            if not is_of_prices:
                await self._troubles.failed(run, account_id, row.name, error)
            raise
        await self._troubles.well(run, account_id, row.name)
        return watching.begun

    def _watching(
        self, run: SignalRun, work: Work, row: AccountRow, prices: "asyncio.Future[Mapping[str, Price]]"
    ) -> Watching:
        part = Part(
            run=run,
            host=self._host,
            exchange=self._exchange,
            account=self._account(row),
            account_name=row.name,
            watched=work.watched[row.id],
            intents=work.intents,
            prices=lambda: asyncio.shield(prices),
        )
        return Watching(part, self._memories.setdefault(row.id, Memory()))

    def _account(self, row: AccountRow) -> Account:
        key = row.sealed_key + row.sealed_secret
        if key not in self._credentials:
            self._credentials[key] = credentials_of(self._host, row)
        return self._exchange.account(row.id, self._credentials[key])

    # -- the gate, shared with other hubs on the same address

    def _check_gate(self, known: tuple[datetime, bool] | None) -> None:
        """Raises: TemporaryFailure."""
        gate = self._exchange.gate
        if known is not None and known[0] != self._heard:  # once: how long it lasts is reckoned without the wall clock
            gate.block(known[0], is_ban=known[1])
            self._heard = known[0]
        until = gate.blocked_until()
        if until is not None:
            wait_s = (until - self._host.clock.now()).total_seconds()
            raise Limited(
                N_("The exchange takes no requests from this address until {until}."),
                retry_after_s=max(wait_s, 0.0),
                is_ban=gate.is_ban,
                until=f"{until:%H:%M:%S} UTC",
            )

    async def _share_gate(self, known: tuple[datetime, bool] | None) -> None:
        """Not through the run: a ban holds, whoever has met it."""
        gate = self._exchange.gate
        until, is_ban = gate.blocked_until(), gate.is_ban
        if until is not None and (known is None or until > known[0]):
            await self._host.write(lambda tx: accounts.block(tx, until, is_ban=is_ban))
            self._heard = until


async def _in_time(work: Coroutine[Any, Any, None]) -> None:
    try:
        async with asyncio.timeout(PART_WITHIN_S):
            await work
    except TimeoutError as error:
        words = N_("The exchange took longer than {seconds} s for this account.")
        raise NotDone(words, seconds=PART_WITHIN_S) from error


def gather_work(tx: Tx) -> Work:
    found = operations.to_look_at(tx)
    if not found:
        return Work(watched={}, accounts={}, intents={}, blocked=None)
    watched: dict[str, list[Watched]] = {}
    for each in found:
        watched.setdefault(each.operation.account_id, []).append(each)
    driven = [each.operation.id for each in found if each.operation.state is not State.ACTIVE]
    return Work(
        watched=watched,
        accounts=accounts.some(tx, list(watched)),
        intents=orders.of_operations(tx, driven),
        blocked=accounts.blocked(tx),
    )
