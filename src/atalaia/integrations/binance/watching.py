"""One account's part of a run: closes that were begun go on, then every operation is looked at, and closed where it is time."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import inf
from typing import Any, Final

from atalaia.integrations.binance.closing import Chosen, Closing
from atalaia.integrations.binance.costs import read_costs
from atalaia.integrations.binance.exchange.port import Account, Exchange, Position, Price, Side
from atalaia.integrations.binance.looking import Look, Seen, look
from atalaia.integrations.binance.model.legs import Intent, plan_of
from atalaia.integrations.binance.model.operations import Costs, Point, Watched
from atalaia.integrations.binance.model.states import State
from atalaia.integrations.binance.model.thinning import MOST, is_due, to_drop
from atalaia.integrations.binance.queries import history, operations
from atalaia.integrations.binance.telling import Telling
from atalaia.sdk.integration import Host
from atalaia.sdk.signals import SignalRun
from atalaia.sdk.transaction import Tx

# Positions that were read so long ago, in the same run, are those of now.
JUST_NOW_S: Final = 0.5


@dataclass(slots=True)
class Memory:
    """Of one account, from run to run, in this process alone."""

    positions: Sequence[Position] = ()
    read_at: float | None = None  # monotonic
    points: dict[str, Point] = field(default_factory=dict)  # the last of each operation
    counts: dict[str, int] = field(default_factory=dict)  # since they were thinned


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What a run gives to an account's part."""

    run: SignalRun
    host: Host
    exchange: Exchange
    account: Account
    account_name: str
    watched: Sequence[Watched]
    intents: Mapping[str, Sequence[Intent]]
    prices: Callable[[], Awaitable[Mapping[str, Price]]]


class Watching:
    def __init__(self, part: Part, memory: Memory) -> None:
        self._part = part
        self._memory = memory
        self._host = part.host
        self._telling = Telling(part.host)
        self._closing = Closing(part.run, part.host, part.exchange.market, part.account, account_name=part.account_name)
        self._has_read = False  # the positions, in this run
        self.begun = 0

    async def work(self) -> None:
        """Raises: the first that went wrong, after everything else was done."""
        driven = [each for each in self._part.watched if each.operation.state is not State.ACTIVE]
        active = [each for each in self._part.watched if each.operation.state is State.ACTIVE]
        drives = (self._closing.drive(each.operation, self._part.intents[each.operation.id]) for each in driven)
        wrong = [each for each in await asyncio.gather(*drives, return_exceptions=True) if each is not None]
        if active:
            wrong += await self._look_at(active)
        if wrong:
            raise wrong[0]

    async def _look_at(self, active: Sequence[Watched]) -> list[BaseException]:
        positions = await self._positions()  # while the prices are on their way
        prices = await self._part.prices()
        looks = self._looks(active, positions, prices, await self._now())
        chosen = [each.watched for each in looks if each.close is not None]
        wrong: list[BaseException] = []
        if chosen:
            looks, begin = await self._looked_again(chosen, looks, prices)
            if begin:
                self.begun = len(begin)
                wrong = await self._closing.begin(begin)
        closed = {each.watched.operation.id for each in looks if each.close is not None}
        left = [each for each in looks if each.watched.operation.id not in closed]
        costs = await self._costs([each.watched for each in left])
        await self._keep(left, costs)
        return wrong

    async def _looked_again(
        self, chosen: Sequence[Watched], looks: Sequence[Look], prices: Mapping[str, Price]
    ) -> tuple[list[Look], list[Chosen]]:
        """Just before closing the positions are always read anew; what is closed then is what stands now."""
        positions = await self._positions(is_fresh=True)
        again = {each.watched.operation.id: each for each in self._looks(chosen, positions, prices, await self._now())}
        rules = await self._part.exchange.market.rules()
        begin: list[Chosen] = []
        for each in again.values():
            operation = each.watched.operation
            stood = {at.side: (at.amount, at.entry) for at in positions if at.symbol == operation.symbol}
            plan = plan_of(stood, rules[operation.symbol]) if operation.symbol in rules else ()
            if each.close is not None and plan:
                begin.append(Chosen(operation, each.close, plan, _decided(each)))
        begun = {each.operation.id for each in begin}
        merged = [again.get(each.watched.operation.id, each) for each in looks]
        return [each if each.watched.operation.id in begun else _not_closed(each) for each in merged], begin

    def _looks(
        self, watched: Sequence[Watched], positions: Sequence[Position], prices: Mapping[str, Price], now: datetime
    ) -> list[Look]:
        by_symbol: dict[str, list[Position]] = {}
        for position in positions:
            by_symbol.setdefault(position.symbol, []).append(position)
        at, max_age_s = self._host.clock.now(), float(self._host.setting("max_price_age_s"))
        return [
            look(
                each,
                Seen(
                    price=prices.get(each.operation.symbol),
                    positions=by_symbol.get(each.operation.symbol, ()),
                    now=now,
                    max_price_age_s=max_age_s,
                ),
                at=at,
            )
            for each in watched
        ]

    # -- reading

    async def _now(self) -> datetime:
        return await self._part.exchange.market.server_time()

    async def _positions(self, *, is_fresh: bool = False) -> Sequence[Position]:
        """Each run anew while less than half of the exchange's limit is used, else now and then.

        `is_fresh`: just before closing, unless that is what was just done.
        """
        memory, now = self._memory, self._host.clock.monotonic()
        age_s = inf if memory.read_at is None else now - memory.read_at
        if is_fresh:
            is_due = age_s > JUST_NOW_S or not self._has_read
        else:
            is_due = (
                age_s >= float(self._host.setting("positions_every_s")) or self._part.exchange.weights.is_under_half()
            )
        if is_due:
            memory.positions = await self._part.account.positions()
            memory.read_at = self._host.clock.monotonic()
            self._has_read = True
        return memory.positions

    async def _costs(self, watched: Sequence[Watched]) -> dict[str, Costs]:
        if not watched:
            return {}
        every_s = float(self._host.setting("rates_every_s"))
        weights = self._part.exchange.weights
        return await read_costs(self._part.account, watched, weights, every_s=every_s, now=self._host.clock.now())

    # -- keeping

    async def _keep(self, looks: Sequence[Look], costs: Mapping[str, Costs]) -> None:
        """What has changed, and nothing else."""
        changed = [each for each in looks if each.is_changed]
        told = [each for each in looks if _is_told(each)]
        points = self._points(looks)
        if not (changed or told or costs or points):
            return

        def unit(tx: Tx) -> None:
            there = operations.present(tx, [each.watched.operation.id for each in looks])
            standings = [(each.watched.operation.id, each.standing) for each in changed]
            operations.put_standing(tx, [each for each in standings if each[0] in there])
            operations.put_costs(tx, {id_: each for id_, each in costs.items() if id_ in there})
            history.add_points(tx, points)
            for each in told:
                self._tell(tx, each)
            for each in changed:
                self._telling.changed(tx, each.watched.operation.id)
            for id_ in self._to_thin(points):
                history.drop_points(tx, id_, to_drop(history.points_of(tx, id_)))

        await self._part.run.write(unit)
        for id_, point in points:
            self._memory.points[id_] = point
            self._memory.counts[id_] = self._memory.counts.get(id_, MOST) + 1
        for id_ in self._to_thin(points):
            self._memory.counts[id_] = 0

    def _tell(self, tx: Tx, each: Look) -> None:
        operation = each.watched.operation
        if each.would_close is not None:
            self._telling.note(tx, operation, "would_close", {"reason": str(each.would_close), **_decided(each)})
        if operation.wanted is not None and _is_in_vain(each):
            self._telling.gave_up(tx, operation)
        if each.lost_leg:
            self._telling.lost_leg(tx, operation)
        if operation.has_fault and each.is_calm:
            self._telling.well_again(tx, operation)

    def _points(self, looks: Sequence[Look]) -> list[tuple[str, Point]]:
        found = []
        for each in looks:
            value, at = each.standing.current_pnl, each.standing.at
            if value is None or at is None:
                continue
            point = Point(at, value)
            if is_due(self._memory.points.get(each.watched.operation.id), point):
                found.append((each.watched.operation.id, point))
        return found

    def _to_thin(self, points: Sequence[tuple[str, Point]]) -> list[str]:
        """The first of a process looks once, for nobody knows how many there are."""
        return [id_ for id_, _ in points if self._memory.counts.get(id_, MOST) >= MOST // 4]


def _is_told(each: Look) -> bool:
    operation = each.watched.operation
    return (
        each.would_close is not None
        or each.lost_leg
        or (operation.wanted is not None and _is_in_vain(each))
        or (operation.has_fault and each.is_calm)
    )


def _is_in_vain(each: Look) -> bool:
    """A person asked for a close that can't be: nothing is there, or nothing is ever sent for it."""
    return each.standing.result is None or each.watched.operation.dry_run


def _not_closed(each: Look) -> Look:
    return Look(
        watched=each.watched,
        standing=each.standing,
        would_close=each.would_close,
        lost_leg=each.lost_leg,
        is_changed=each.is_changed,
    )


def _decided(each: Look) -> dict[str, Any]:
    """What was decided upon, for the record."""
    result, wishes = each.standing.result, each.watched.operation.wishes
    if result is None:
        return {}
    legs = {str(side): leg.pnl for side, leg in ((Side.LONG, result.long), (Side.SHORT, result.short)) if leg}
    parts = {name: getattr(result, name) for name in ("mark", "gross", "fees", "funding", "net")}
    wished = {"target": wishes.profit_target, "stop_loss": wishes.stop_loss, "peak": each.standing.peak}
    return {name: value for name, value in {**legs, **parts, **wished}.items() if value is not None}
