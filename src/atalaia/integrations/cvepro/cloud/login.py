"""The login, as public clients observe it; the hub alone calls it."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from atalaia.core.redaction import Secret
from atalaia.core.translations import N_
from atalaia.integrations.cvepro.model.fields import read_instant
from atalaia.sdk.failures import PermanentFailure, TemporaryFailure
from atalaia.sdk.upstreams import Login, Token, Upstream

TOKEN_LIFE_S: Final = 24 * 3600.0
# An end that is nearer than this, or already past, says more of the vendor's clock than of the token.
_NEAREST: Final = timedelta(seconds=60)
_FARTHEST: Final = timedelta(days=30)
_REFUSED: Final = re.compile(r"password|senha|credential|credencia|e-?mail|api.?key", re.IGNORECASE)
_LONGEST_ERROR: Final = 200


async def log_in(upstream: Upstream, setting: Callable[[str], Any]) -> Login:
    """Raises: TemporaryFailure (no usable token came), PermanentFailure (not configured, or refused)."""
    base, key, email, password = (setting(name) for name in ("base_url", "api_key", "email", "password"))
    if not (base and key and email and password):
        raise PermanentFailure(
            N_("The login is not configured."),
            hint=N_("Set base_url, api_key, email and password of the integration cvepro."),
        )
    answer = await upstream.call(
        "login",
        "POST",
        address(base, "login"),
        headers={"Api-Key": key.reveal(), "Content-Type": "application/json"},
        body=msgspec.json.encode({"email": email, "password": password.reveal()}),
        is_repeatable=True,
    )
    return login_of(answer.body, now=datetime.now(UTC))


def login_of(body: bytes, *, now: datetime) -> Login:
    """`error` may be set on a 200. Raises: TemporaryFailure, PermanentFailure: name or password are refused."""
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise TemporaryFailure(N_("The login's answer can't be read."))
    token, error = found.get("token"), found.get("error")
    if error:
        why = str(error)[:_LONGEST_ERROR]
        if _REFUSED.search(why):
            raise PermanentFailure(
                N_("The login is refused: {why}"), why=why, hint=N_("Check api_key, email and password.")
            )
        raise TemporaryFailure(N_("The login was answered with an error: {why}"), why=why)
    if not isinstance(token, str) or not token.strip() or not token.isascii() or not token.isprintable():
        raise TemporaryFailure(N_("The login gave no usable token."))
    return Login(Secret(token.strip()), _end_of(found.get("expiresAt"), now))


def authorize(token: Token) -> dict[str, str]:
    """Without "Bearer"."""
    return {"Authorization": token.value.reveal()}


def address(base_url: str, path: str) -> str:
    return f"{base_url.rstrip('/')}/api/v1/{path}"


def _end_of(value: Any, now: datetime) -> datetime | None:
    end = read_instant(value, zone=UTC)
    return end if end is not None and now + _NEAREST <= end <= now + _FARTHEST else None
