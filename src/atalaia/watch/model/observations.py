"""What a decision is made from: values that say what was seen, where and when (milliseconds, by the hub's clock)."""

from enum import StrEnum

import msgspec


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One measurement by one place.

    `at_ms` is when it was measured, put right for a wrong agent clock by whoever took it in; `is_line_down` says that
    the place reached none of its reference addresses.
    """

    place: str
    at_ms: int
    is_ok: bool
    is_degraded: bool = False
    is_line_down: bool = False
    took_ms: float | None = None
    reason: str | None = None


class Silent(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing has been heard of a place's agent for too long."""

    place: str
    at_ms: int


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """Another place measures from now on; what is known so far stays, without a vote until the new one has spoken."""

    old_place: str
    place: str
    at_ms: int


class Paused(msgspec.Struct, frozen=True, kw_only=True):
    at_ms: int


class Resumed(msgspec.Struct, frozen=True, kw_only=True):
    at_ms: int


class BeatKind(StrEnum):
    SUCCESS = "success"
    FAIL = "fail"
    START = "start"
    LOG = "log"


class Beat(msgspec.Struct, frozen=True, kw_only=True):
    """One ping of a heartbeat check; `run` pairs a start with its end (`rid` of the address)."""

    at_ms: int
    kind: BeatKind
    run: str = ""
    reason: str | None = None


class Tick(msgspec.Struct, frozen=True, kw_only=True):
    """Time has passed: a heartbeat may be overdue."""

    at_ms: int


class Rejudged(msgspec.Struct, frozen=True, kw_only=True):
    """The check's rules or places have changed; what is known is put together anew."""

    at_ms: int


Observation = Result | Silent | Moved | Paused | Resumed | Beat | Tick | Rejudged
