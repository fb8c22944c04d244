"""What an answer of the exchange means: nothing wrong, or one of the failures. Pure."""

import re
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Final

import msgspec

from atalaia.core.translations import N_
from atalaia.integrations.binance.exchange.answers import UNREADABLE
from atalaia.integrations.binance.exchange.failures import ClockSkew, Limited, NotDone, OutcomeUnknown, Refused
from atalaia.integrations.binance.exchange.words import HINTS
from atalaia.sdk.failures import BadPayload
from atalaia.sdk.upstreams import Answer

BANNED: Final = 418  # its own use of the status: whoever goes on after 429s
TOO_MANY: Final = -1003
TOO_MANY_ORDERS: Final = -1015  # of one account; the address is free to go on
# −1021: the gateway's no; −5028: the same of the matching engine.
_SKEWED: Final = frozenset({-1021, -5028})
_UNKNOWN: Final = frozenset({-1000, -1001, -1006, -1007})
_OVERLOADED: Final = -1008
_UNAVAILABLE: Final = "service unavailable"
# Where the exchange does not say: its limits are by the minute, and its shortest ban is two.
_LIMITED_S: Final = 60.0
_BANNED_S: Final = 120.0
_ORDERS_S: Final = 10.0
_LONGEST_S: Final = 4 * 86_400.0
_BANNED_UNTIL: Final = re.compile(r"banned until (\d{13})\b")
_MOST_WORDS: Final = 300
_DIGITS: Final = 9


class ErrorBody(msgspec.Struct, frozen=True):
    """`{"code": -2019, "msg": "Margin is insufficient."}`; the code may be missing."""

    code: int | None = None
    msg: str = ""


def error_body(answer: Answer) -> ErrorBody:
    """Empty where it is of another form: a proxy's page, a firewall's."""
    try:
        return msgspec.json.decode(answer.body, type=ErrorBody)
    except UNREADABLE:
        return ErrorBody()


def failure_of(answer: Answer, *, now: datetime) -> Exception | None:
    """Raised by whoever asked. `now` is by this hub's clock, for a ban's end that is given as an instant."""
    status = answer.status
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return None
    if status < HTTPStatus.BAD_REQUEST:
        return BadPayload(N_("The exchange answered {status}: its address is wrong."), status=status)
    body = error_body(answer)
    code = body.code or 0
    if code in _SKEWED:
        return ClockSkew(N_("The exchange does not take this machine's time."), status=status)
    return _limit(answer, body, now) or _not_done(status, body) or _unknown(status, body) or _refused(status, body)


def _not_done(status: int, body: ErrorBody) -> NotDone | None:
    if body.code == _OVERLOADED:
        text = N_("The exchange is overloaded; nothing was done.")
    elif status == HTTPStatus.SERVICE_UNAVAILABLE and body.msg.lower().startswith(_UNAVAILABLE):
        text = N_("The exchange is not available; nothing was done.")
    else:
        return None
    return NotDone(text, exchange_code=body.code, status=status)


def _unknown(status: int, body: ErrorBody) -> OutcomeUnknown | None:
    is_theirs = status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT
    if not is_theirs and body.code not in _UNKNOWN:
        return None
    text = N_("The exchange does not say what became of it: {status} {number} {words}")
    return OutcomeUnknown(text, exchange_code=body.code, settles_at=None, status=status, **_said(body))


def _refused(status: int, body: ErrorBody) -> Refused:
    return refusal(body.code or 0, body.msg, status=status)


def refusal(exchange_code: int, words: str, *, status: int | None = None) -> Refused:
    return Refused(
        N_("The exchange refused it: {number} {words}"),
        exchange_code=exchange_code,
        exchange_words=words[:_MOST_WORDS],
        hint=HINTS.get(exchange_code),
        status=status,
        **_said(ErrorBody(exchange_code, words)),
    )


def _said(body: ErrorBody) -> dict[str, str]:
    """A parameter called `code` would be taken for AtalaiaError's own."""
    return {"number": str(body.code or ""), "words": body.msg[:_MOST_WORDS]}


def _limit(answer: Answer, body: ErrorBody, now: datetime) -> Limited | None:
    status = answer.status
    is_ban = status == BANNED
    # The firewall's 403 has no code; it lifts by itself after a while.
    is_firewall = status == HTTPStatus.FORBIDDEN and not body.code
    is_limit = status == HTTPStatus.TOO_MANY_REQUESTS or body.code in {TOO_MANY, TOO_MANY_ORDERS}
    if not (is_ban or is_firewall or is_limit):
        return None
    wait_s = _wait_s(answer, body, now)
    if wait_s is None:
        wait_s = _BANNED_S if is_ban else _ORDERS_S if body.code == TOO_MANY_ORDERS else _LIMITED_S
    text = N_("The exchange has banned this address.") if is_ban else N_("The exchange has had too many requests.")
    return Limited(text, retry_after_s=wait_s, is_ban=is_ban, exchange_code=body.code, status=status)


def _wait_s(answer: Answer, body: ErrorBody, now: datetime) -> float | None:
    """Retry-After, or the end of the ban that the words name; whichever is later."""
    header = answer.headers.get("Retry-After", "").strip()
    told = [float(header)] if header.isascii() and header.isdigit() and len(header) <= _DIGITS else []
    if (found := _BANNED_UNTIL.search(body.msg)) is not None:
        until = datetime.fromtimestamp(int(found[1]) / 1000, UTC)
        told.append(max(0.0, (until - now) / timedelta(seconds=1)))
    return min(max(told), _LONGEST_S) if told else None
