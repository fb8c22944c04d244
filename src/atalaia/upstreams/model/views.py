"""An upstream as pages and the API show it. Never a token."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

import msgspec

from atalaia.outbound.breaker import ShownPhase
from atalaia.upstreams.model.logins import TokenRow, renew_at
from atalaia.upstreams.model.records import Summary

# Below this share of good calls in the last hour it counts as degraded.
GOOD_SHARE = 0.9
FEW_CALLS = 5


class Standing(StrEnum):
    DOWN = "down"  # left alone, or the login fails
    DEGRADED = "degraded"  # some calls fail, or a trial is due
    UP = "up"
    UNKNOWN = "unknown"  # nothing was called in the last hour
    UNCONFIGURED = "unconfigured"


WORST_FIRST = (Standing.DOWN, Standing.DEGRADED, Standing.UNKNOWN, Standing.UP, Standing.UNCONFIGURED)


class TokenView(msgspec.Struct, frozen=True, kw_only=True):
    has_token: bool
    length: int | None
    generation: int
    expires_at: datetime | None
    renewed_at: datetime | None
    renew_at: datetime | None
    source: str | None
    failing_since: datetime | None
    retry_at: datetime | None
    error: str | None


class BreakerView(msgspec.Struct, frozen=True, kw_only=True):
    phase: ShownPhase
    trial_at: datetime | None  # open: when it will be half open
    failing_since: datetime | None
    failures_in_row: int
    reason: str | None


class AccountView(msgspec.Struct, frozen=True, kw_only=True):
    account: str
    breaker: BreakerView
    token: TokenView | None  # None: it knows no login, and was given none


class Notes(msgspec.Struct, frozen=True):
    """What people wrote for the day it fails, in Markdown."""

    runbook: str = ""
    contacts: str = ""


class UpstreamView(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    title: str
    is_configured: bool
    has_login: bool
    state: Standing
    reason: str | None
    failing_since: datetime | None
    hour: Summary
    day: Summary
    accounts: Sequence[AccountView]

    @property
    def token(self) -> TokenView | None:
        """That of its only account, for lists."""
        return self.accounts[0].token if len(self.accounts) == 1 else None


def token_view(row: TokenRow, *, has_login: bool) -> TokenView | None:
    if not has_login and row.generation == 0:
        return None
    return TokenView(
        has_token=row.sealed is not None,
        length=row.length,
        generation=row.generation,
        expires_at=row.expires_at,
        renewed_at=row.renewed_at,
        renew_at=renew_at(row) if has_login else None,
        source=row.source,
        failing_since=row.failing_since,
        retry_at=row.retry_at,
        error=row.error,
    )


def standing_of(accounts: Sequence[AccountView], hour: Summary, *, is_configured: bool) -> Standing:
    if not is_configured:
        return Standing.UNCONFIGURED
    if any(_is_down(account) for account in accounts):
        return Standing.DOWN
    is_shaky = hour.calls >= FEW_CALLS and (hour.success_rate or 0) < GOOD_SHARE
    has_trouble = any(account.token is not None and account.token.error for account in accounts)
    if is_shaky or has_trouble or any(account.breaker.failing_since for account in accounts):
        return Standing.DEGRADED
    return Standing.UP if hour.calls else Standing.UNKNOWN


def trouble_of(accounts: Sequence[AccountView]) -> tuple[str | None, datetime | None]:
    """Why and since when, of the account that fails the longest."""
    found: list[tuple[datetime, str | None]] = []
    for account in accounts:
        if account.breaker.failing_since is not None:
            found.append((account.breaker.failing_since, account.breaker.reason))
        if account.token is not None and account.token.failing_since is not None:
            found.append((account.token.failing_since, account.token.error))
    since, reason = min(found, key=lambda each: each[0], default=(None, None))
    return reason, since


def _is_down(account: AccountView) -> bool:
    is_locked_out = account.token is not None and account.token.failing_since is not None
    return account.breaker.phase == "open" or is_locked_out
