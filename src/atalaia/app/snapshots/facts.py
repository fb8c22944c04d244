"""What a snapshot says, as data: the hub gives it over HTTP, a command writes it down."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec


class Unit(msgspec.Struct, frozen=True):
    """A unit file of systemd or a drop-in; secrets are stars."""

    path: str
    text: str


class Checkout(msgspec.Struct, frozen=True):
    """`changed`: paths with what git says of them; a commit alone does not tell what runs where there are any."""

    branch: str
    commit: str
    subject: str
    changed: Sequence[str]


class Installation(msgspec.Struct, frozen=True, kw_only=True):
    """One machine, and the package on it."""

    host: str
    system: str
    python: str
    version: str
    commit: str | None
    folder: str
    checkout: Checkout | None
    units: Sequence[Unit]


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """As /health says it; `trouble` where nobody could be asked."""

    status: str = "unknown"
    version: str = ""
    commit: str | None = None
    uptime: float = 0.0
    checks: Mapping[str, bool] = {}
    trouble: str | None = None


class TokenFact(msgspec.Struct, frozen=True, kw_only=True):
    """Never the token."""

    account: str
    has_token: bool
    length: int | None
    expires_at: datetime | None
    renewed_at: datetime | None
    source: str | None
    error: str | None
    breaker: str


class UpstreamFact(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    title: str
    state: str
    reason: str | None
    calls_last_hour: int
    success_rate: float | None
    accounts: Sequence[TokenFact]


class RunnerFact(msgspec.Struct, frozen=True, kw_only=True):
    """A worker or an agent."""

    name: str
    version: str
    commit: str
    state: str
    seen_at: datetime | None
    address: str
    detail: str


class TemplateFact(msgspec.Struct, frozen=True, kw_only=True):
    """Version 0 is built in."""

    upstream: str
    action: str
    version: int
    etag: str


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """`troubles`: what could not be asked, and why. `log`: the last entries, as JSON lines."""

    taken_at: datetime
    reason: str
    note: str
    installation: Installation
    store: str
    public_url: str
    health: Health
    upstreams: Sequence[UpstreamFact] = ()
    workers: Sequence[RunnerFact] = ()
    agents: Sequence[RunnerFact] = ()
    templates: Sequence[TemplateFact] = ()
    log: Sequence[str] = ()
    troubles: Sequence[str] = ()
