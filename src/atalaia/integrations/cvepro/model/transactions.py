"""Transactions of charge points: how one stands, and the session that it is."""

from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec

from atalaia.integrations.cvepro.model.meters import Reading
from atalaia.integrations.cvepro.model.sessions import Session

PREFIX: Final = "ocpp-"
_MWH_PER_WH: Final = 1000
MOST_WH: Final = 10**12
DEFAULT_REASON: Final = "Local"  # OCPP 1.6, 6.47: may be left out where it is this


class State(StrEnum):
    OPEN = "open"
    PASSED = "passed"  # another began at its connector, and its end has not been told yet
    ENDED = "ended"


class Tag(StrEnum):
    """OCPP's AuthorizationStatus."""

    ACCEPTED = "Accepted"
    BLOCKED = "Blocked"
    EXPIRED = "Expired"
    INVALID = "Invalid"
    CONCURRENT = "ConcurrentTx"


class Transaction(msgspec.Struct, frozen=True, kw_only=True):
    """`told_at` is the start's time as it was told; with box, connector and `start_wh` it tells a start that is sent again."""

    number: int = 0
    box_id: str
    connector: int
    told_at: str
    start_wh: int
    tag: str
    state: State = State.OPEN
    started_at: datetime
    measured_at: datetime | None = None
    is_full: bool = False

    @property
    def session_id(self) -> str:
        return f"{PREFIX}{self.number}"


def number_of(session_id: str) -> int | None:
    """The transaction's, of a session that a charge point told itself."""
    digits = session_id.removeprefix(PREFIX)
    return int(digits) if session_id.startswith(PREFIX) and digits.isascii() and digits.isdecimal() else None


def begun(one: Transaction) -> Session:
    return Session(
        id=one.session_id,
        box_id=one.box_id,
        connector=str(one.connector),
        tag=one.tag,
        started_at=one.started_at,
        start_mwh=one.start_wh * _MWH_PER_WH,
    )


def ended(one: Transaction, *, at: datetime, stop_wh: int, reason: str | None, idle_s: float | None) -> Session:
    """A meter that went backwards took nothing; that it did is marked by who judges the session."""
    return msgspec.structs.replace(
        begun(one),
        stopped_at=at,
        duration_s=max(0.0, (at - one.started_at).total_seconds()),
        stop_mwh=stop_wh * _MWH_PER_WH,
        energy_mwh=max(0, stop_wh - one.start_wh) * _MWH_PER_WH,
        stop_reason=reason or DEFAULT_REASON,
        idle_s=idle_s,
    )


def passed(one: Transaction, last: Reading | None, *, at: datetime) -> Session:
    """Its end as far as it is known, until it is told: another has begun at `at`."""
    stopped_at = last.at if last is not None and one.started_at <= last.at <= at else at
    register = last.energy_mwh if last is not None else None
    start = one.start_wh * _MWH_PER_WH
    return msgspec.structs.replace(
        begun(one),
        stopped_at=stopped_at,
        duration_s=max(0.0, (stopped_at - one.started_at).total_seconds()),
        stop_mwh=register,
        energy_mwh=None if register is None else max(0, register - start),
    )


def begun_elsewhere(
    one: Transaction, first: Reading | None, *, at: datetime, stop_wh: int, reason: str | None
) -> Session:
    """An end whose beginning nobody told us: kept, so that it is not lost. What it took is known from `first` on, or not at all."""
    stop, start = stop_wh * _MWH_PER_WH, first.energy_mwh if first is not None else None
    if start is not None and start > stop:
        start = None
    return Session(
        id=one.session_id,
        box_id=one.box_id,
        tag=one.tag or None,
        stopped_at=at,
        energy_mwh=None if start is None else stop - start,
        start_mwh=start,
        stop_mwh=stop,
        stop_reason=reason or DEFAULT_REASON,
    )
