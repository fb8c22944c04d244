"""Channels, routes and attempts as values."""

from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from atalaia.core.translations import Locale
from atalaia.notify.model.severity import Severity


class Outcome(StrEnum):
    DELIVERED = "delivered"
    RETRIED = "retried"  # failed, and is tried again
    DEAD = "dead"  # failed, and was given up
    UNKNOWN = "unknown"  # perhaps sent, and not sent again: the receiver could not tell it from another
    EXPIRED = "expired"  # not sent: it would have come too late


class Channel(msgspec.Struct, frozen=True, kw_only=True):
    """`settings` hold what may be shown; `secrets` is sealed."""

    id: str
    name: str
    kind: str
    settings: dict[str, Any]
    secrets: bytes | None
    locale: Locale
    is_enabled: bool
    created_at: datetime
    changed_at: datetime
    delivered_at: datetime | None = None
    failed_at: datetime | None = None
    error: str | None = None
    troubled_since: datetime | None = None


class RouteRecord(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    channel_id: str
    match: dict[str, str]
    min_severity: Severity | None
    repeat_interval_s: int
    group_wait_s: int
    is_enabled: bool
    created_at: datetime
    channel_name: str = ""


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One try to deliver one message to one target, as far as one incident in it is concerned.

    `target` is empty where the kind of channel does not tell its receivers apart. A message to an address is about no incident,
    and perhaps through no channel: `channel_name` is then what its kind is called.
    """

    id: str
    message_id: str
    channel_id: str
    channel_name: str
    incident_id: str | None
    event: str
    title: str
    attempt: int
    started_at: datetime
    duration_ms: float
    outcome: Outcome
    status: str
    target: str = ""
