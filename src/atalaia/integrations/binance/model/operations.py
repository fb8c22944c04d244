"""An operation: a LONG and a SHORT position of one symbol of one account, closed together."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from atalaia.integrations.binance.exchange.port import Rates
from atalaia.integrations.binance.model.deciding import Reason, Undecided, Wishes
from atalaia.integrations.binance.model.legs import LegPlan
from atalaia.integrations.binance.model.result import Result
from atalaia.integrations.binance.model.states import State

LONGEST_WAIT: Final = timedelta(seconds=60)  # between two tries


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """`wanted`: a person asked for its close; `revision` grows with every change by a person."""

    id: str
    account_id: str
    symbol: str
    name: str
    wishes: Wishes
    auto_close_enabled: bool
    dry_run: bool
    opened_at: datetime
    updated_at: datetime
    state: State = State.ACTIVE
    revision: int = 1
    wanted: Reason | None = None
    reason: Reason | None = None
    plan: tuple[LegPlan, ...] = ()
    failures: int = 0
    retry_at: datetime | None = None
    has_fault: bool = False

    @property
    def is_due_for_a_look(self) -> bool:
        return self.auto_close_enabled or self.wanted is not None

    def is_waiting(self, now: datetime) -> bool:
        """For its next try. More than could have been set means that the clock was put back: then it is over."""
        return self.retry_at is not None and timedelta() < self.retry_at - now <= LONGEST_WAIT


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What was read of an operation's costs, and when; each None until it was."""

    rates: Rates | None = None
    rates_at: datetime | None = None
    funding: Decimal | None = None
    funding_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How an operation stood at the last look; `result` None: no leg was open."""

    current_pnl: Decimal | None = None
    result: Result | None = None
    peak: Decimal | None = None
    undecided: Undecided | None = None
    would_close: Reason | None = None  # what a dry run has said last
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """An operation with what is known of it."""

    operation: Operation
    standing: Standing = field(default_factory=Standing)
    costs: Costs = field(default_factory=Costs)


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationEvent:
    id: str
    at: datetime
    kind: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Point:
    at: datetime
    value: Decimal
