"""What happens to a token's row; each a part of a unit of work, with the row held."""

from datetime import datetime, timedelta
from typing import Any

from atalaia.core.errors import AtalaiaError
from atalaia.core.redaction import scrub
from atalaia.sdk.failures import AuthExpired, PermanentFailure, TemporaryFailure
from atalaia.sdk.transaction import Tx
from atalaia.sdk.upstreams import Login
from atalaia.upstreams.model.logins import FAILURES_TO_TELL, TokenRow, pause_after_failure_s
from atalaia.upstreams.model.records import kept_text
from atalaia.upstreams.model.registered import Key, Registered
from atalaia.upstreams.queries import tokens as queries
from atalaia.upstreams.service.breakers import PAGE_TOPIC
from atalaia.upstreams.service.telling import tell_back, tell_failing

TOPIC = "upstream_tokens"
MAX_ERROR = 500
_FREE: dict[str, Any] = {"login_holder": None, "login_until_at": None}
_WELL: dict[str, Any] = {"failures": 0, "retry_at": None, "failing_since": None, "error": None}


def logged_in(
    tx: Tx, key: Key, holder: str, login: Login, *, sealed: bytes, life_s: float, title: str, now: datetime
) -> bool:
    """Whether it was taken: not when the lease went to somebody else meanwhile."""
    row = queries.lock(tx, key)
    if row.login_holder != holder:
        return False
    # One that is over when it is given out would be asked for again at once, without end: the other side's clock is wrong.
    has_end = login.expires_at is not None and login.expires_at > now
    queries.change(
        tx,
        key,
        sealed=sealed,
        length=len(login.value.reveal()),
        generation=row.generation + 1,
        expires_at=login.expires_at if has_end else now + timedelta(seconds=life_s),
        renewed_at=now,
        source="login",
        **_FREE,
        **_WELL,
    )
    _back(tx, row, title=title, now=now)
    _publish(tx, key)
    return True


def given(tx: Tx, key: Key, *, sealed: bytes, length: int, life_s: float, title: str, now: datetime) -> None:
    """By hand; a login that is under way loses its lease, so that its result doesn't replace this one."""
    row = queries.lock(tx, key)
    queries.change(
        tx,
        key,
        sealed=sealed,
        length=length,
        generation=row.generation + 1,
        expires_at=now + timedelta(seconds=life_s),
        renewed_at=now,
        source="manual",
        quick=0,
        **_FREE,
        **_WELL,
    )
    _back(tx, row, title=title, now=now)
    _publish(tx, key)


def failed(tx: Tx, key: Key, holder: str, failure: AtalaiaError, *, registered: Registered, now: datetime) -> float:
    """How long nobody logs in now, in seconds."""
    row = queries.lock(tx, key)
    if row.login_holder != holder:
        return 0.0
    is_refused = isinstance(failure, PermanentFailure | AuthExpired)
    failures = row.failures + 1
    pause_s = pause_after_failure_s(failures, is_refused=is_refused)
    if not is_refused and registered.polling_interval_s is not None:
        pause_s = min(pause_s, registered.polling_interval_s)  # it is back no later than its next turn
    if isinstance(failure, TemporaryFailure) and failure.retry_after_s:
        pause_s = max(pause_s, failure.retry_after_s)
    reason = kept_text(scrub(str(failure))[:MAX_ERROR])
    is_told = row.failing_since is None and (is_refused or failures >= FAILURES_TO_TELL)
    queries.change(
        tx,
        key,
        failures=failures,
        retry_at=now + timedelta(seconds=pause_s),
        error=reason,
        failing_since=now if is_told else row.failing_since,
        **_FREE,
    )
    declared = registered.declaration
    if is_told and not declared.is_told_by_integration:
        tell_failing(tx, key, "login", title=declared.title, reason=reason, at=now)
    _publish(tx, key)
    return pause_s


def release(tx: Tx, key: Key, holder: str) -> None:
    """The login was given up without a result."""
    if queries.lock(tx, key).login_holder == holder:
        queries.change(tx, key, **_FREE)


def forget_pauses(tx: Tx, key: Key) -> TokenRow:
    """A person wants it tried now; the row as it was."""
    row = queries.lock(tx, key)
    queries.change(tx, key, retry_at=None, quick=0)
    return row


def _back(tx: Tx, row: TokenRow, *, title: str, now: datetime) -> None:
    if row.failing_since is not None:
        tell_back(tx, (row.upstream, row.account), "login", title=title, at=now)


def _publish(tx: Tx, key: Key) -> None:
    tx.publish(TOPIC, key[0])
    tx.publish(PAGE_TOPIC, key[0])
