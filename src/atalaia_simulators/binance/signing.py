"""Who asks, and whether the request is theirs and fresh."""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

from atalaia_simulators.binance.accounts import Account
from atalaia_simulators.binance.errors import Refusal, missing, refused

DEFAULT_WINDOW_MS: Final = 5000
LONGEST_WINDOW_MS: Final = 60_000
AHEAD_MS: Final = 1000
_MARK: Final = "signature="


def sign(secret: str, text: str) -> str:
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def read_params(query: str, body: str) -> dict[str, str]:
    """Raises: Refusal: one is there twice."""
    pairs = [pair for text in (query, body) for pair in parse_qsl(text, keep_blank_values=True)]
    params = dict(pairs)
    if len(params) != len(pairs):
        raise refused(-1101)
    return params


def check_key(accounts: Mapping[str, Account], api_key: str | None) -> Account:
    """Raises: Refusal."""
    if not api_key:
        raise refused(-2014)
    account = accounts.get(api_key)
    if account is None:
        raise refused(-2015)
    return account


def check_time(params: Mapping[str, str], now_ms: int) -> None:
    """Raises: Refusal."""
    timestamp = _milliseconds(params, "timestamp")
    window = _milliseconds(params, "recvWindow") if "recvWindow" in params else DEFAULT_WINDOW_MS
    if window > LONGEST_WINDOW_MS:
        raise refused(-1131)
    if timestamp >= now_ms + AHEAD_MS:
        raise Refusal(-1021, f"Timestamp for this request was {AHEAD_MS}ms ahead of the server's time.")
    if now_ms - timestamp > window:
        raise refused(-1021)


def check_signature(account: Account, query: str, body: str) -> None:
    """It stands last, in the query or in the body, and is of everything else as it was sent. Raises: Refusal."""
    signed, given = _taken_out(query, body)
    if not hmac.compare_digest(sign(account.api_secret, signed).encode(), given.lower().encode()):
        raise refused(-1022)


def _taken_out(query: str, body: str) -> tuple[str, str]:
    before, mark, given = body.rpartition(_MARK)
    if mark:
        return query + before.removesuffix("&"), given
    before, mark, given = query.rpartition(_MARK)
    if not mark:
        raise missing("signature")
    return before.removesuffix("&") + body, given


def _milliseconds(params: Mapping[str, str], name: str) -> int:
    text = params.get(name, "")
    if not (text.isascii() and text.isdigit()):
        raise missing(name)
    return int(text)
