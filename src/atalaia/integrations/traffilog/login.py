"""The login, as it is observed on the wire; the hub alone calls it."""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from atalaia.core.redaction import Secret
from atalaia.core.translations import N_
from atalaia.integrations.traffilog import answers
from atalaia.sdk.failures import PermanentFailure, TemporaryFailure
from atalaia.sdk.upstreams import Login, Upstream

TOKEN_LIFE_S: Final = 6 * 3600.0
MIN_TOKEN_LENGTH: Final = 20


async def log_in(upstream: Upstream, setting: Callable[[str], Any]) -> Login:
    """Raises: TemporaryFailure (no usable token came), PermanentFailure (not configured, or refused)."""
    url, name, password = setting("login_url"), setting("login_name"), setting("password")
    if not (url and name and password):
        raise PermanentFailure(
            N_("The login is not configured."),
            hint=N_("Set login_url, login_name and password of the integration traffilog."),
        )
    body = {"action": {"name": "user_login", "parameters": {"login_name": name, "password": password.reveal()}}}
    answer = await upstream.call(
        "login",
        "POST",
        url,
        headers={
            "Content-Type": "application/json",
            "Origin": setting("origin"),
            "User-Agent": setting("user_agent"),
            "Accept-Language": setting("accept_language"),
        },
        body=msgspec.json.encode(body),
        is_repeatable=True,
    )
    return Login(Secret(token_of(answer.body)))


def is_token(text: str) -> bool:
    """Long enough, and what can stand in an address: words of an error are no token."""
    return len(text) >= MIN_TOKEN_LENGTH and text.isascii() and text.isprintable() and " " not in text


def token_of(body: bytes) -> str:
    """Raises: TemporaryFailure: empty, no token, or one too short to be one; PermanentFailure: the login is refused."""
    if not body.strip(b"\0 \r\n\t"):
        raise TemporaryFailure(N_("The login was answered with an empty body."))
    reading = answers.read(body.decode("utf-8", errors="replace"))
    if reading is None:
        raise TemporaryFailure(N_("The login's answer can't be read."))
    token = answers.session_token(reading.content)
    if token is not None and is_token(token):
        return token
    if reading.is_error:
        raise PermanentFailure(
            N_("The login is refused: {why}"),
            why=reading.description or str(reading.action_value),
            hint=N_("Check login_name and password."),
        )
    raise TemporaryFailure(N_("The login gave no usable token."))
