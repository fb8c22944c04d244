"""Every row of the exchange's list of errors, and which failure it is."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atalaia.integrations.binance.exchange.failures import ClockSkew, Limited, NotDone, OutcomeUnknown, Refused
from atalaia.integrations.binance.exchange.judging import failure_of
from atalaia.sdk.failures import BadPayload

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
UNKNOWN = "Unknown error, please check your request or try again later."
UNAVAILABLE = "Service Unavailable."


@dataclass
class Given:
    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def said(status: int, code: int | None, words: str = "words", **headers: str) -> Given:
    body: dict[str, Any] = {"msg": words} if code is None else {"code": code, "msg": words}
    return Given(status, msgspec.json.encode(body), {name.replace("_", "-"): text for name, text in headers.items()})


def judged(given: Given) -> Any:
    return failure_of(given, now=NOW)


ROWS = [
    # limits: nothing was done
    (said(429, -1003), Limited),
    (said(418, -1003), Limited),
    (said(400, -1003), Limited),
    (said(429, None), Limited),
    (said(429, -1015), Limited),
    (Given(418, b"<html>"), Limited),
    (Given(403, b"<html>firewall</html>"), Limited),
    # surely not done
    (said(503, -1008), NotDone),
    (said(400, -1008), NotDone),
    (said(503, None, UNAVAILABLE), NotDone),
    (said(503, -1016, UNAVAILABLE), NotDone),
    # the outcome is unknown
    (said(503, None, UNKNOWN), OutcomeUnknown),
    (said(503, -1000, UNKNOWN), OutcomeUnknown),
    (said(408, -1007), OutcomeUnknown),
    (said(400, -1007), OutcomeUnknown),
    (said(503, -1007), OutcomeUnknown),
    (said(400, -1006), OutcomeUnknown),
    (said(500, -1001), OutcomeUnknown),
    (Given(408), OutcomeUnknown),
    (Given(500, b"oops"), OutcomeUnknown),
    (Given(502, b"<html>Bad Gateway</html>"), OutcomeUnknown),
    (Given(503), OutcomeUnknown),
    (Given(504), OutcomeUnknown),
    # our clock
    (said(400, -1021), ClockSkew),
    (said(400, -5028), ClockSkew),
    # the exchange's no
    *((said(400, code), Refused) for code in (-1022, -1102, -1106, -1111, -1121, -2011, -2013, -2018, -2019, -2022)),
    *((said(400, code), Refused) for code in (-4003, -4005, -4015, -4023, -4061, -4116, -4131, -4164, -9999)),
    (said(401, -2014), Refused),
    (said(401, -2015), Refused),
    (said(403, -2015), Refused),
    (Given(401), Refused),
    (Given(404, b"not found"), Refused),
    (said(400, None), Refused),
    # not the exchange at all
    (Given(301), BadPayload),
    (Given(302, b"<html>"), BadPayload),
]


@pytest.mark.parametrize(("given", "failure"), ROWS, ids=lambda each: str(getattr(each, "body", each))[:60])
def test_each_error_is_its_failure(given: Given, failure: type[Exception]) -> None:
    assert type(judged(given)) is failure


def test_success_is_none() -> None:
    assert judged(Given(200, b"{}")) is None


@pytest.mark.parametrize("given", [given for given, failure in ROWS if failure in (NotDone, Limited)])
def test_what_was_surely_not_done_says_so(given: Given) -> None:
    assert judged(given).may_have_arrived is False


@pytest.mark.parametrize("given", [given for given, failure in ROWS if failure is OutcomeUnknown])
def test_what_is_unknown_may_have_arrived(given: Given) -> None:
    assert judged(given).may_have_arrived is True


@pytest.mark.parametrize(
    ("given", "wait_s", "is_ban"),
    [
        (said(429, -1003, Retry_After="17"), 17, False),
        (said(418, -1003, Retry_After="300"), 300, True),
        (said(429, -1003), 60, False),
        (said(418, -1003), 120, True),
        (said(429, -1015), 10, False),
        (said(418, -1003, Retry_After="soon"), 120, True),
        (said(418, -1003, Retry_After="9" * 30), 120, True),
        (said(418, -1003, Retry_After="999999999"), 4 * 86_400, True),
        (Given(403), 60, False),
    ],
)
def test_a_limit_says_how_long(given: Given, wait_s: float, *, is_ban: bool) -> None:
    failure = judged(given)
    assert (failure.retry_after_s, failure.is_ban) == (wait_s, is_ban)


def test_the_end_of_a_ban_is_read_from_its_words_too() -> None:
    until_ms = int((NOW + timedelta(minutes=7)).timestamp() * 1000)
    words = f"Way too many requests; IP(192.0.2.1) banned until {until_ms}. Please use the websocket."
    assert judged(said(418, -1003, words)).retry_after_s == 420
    assert judged(said(418, -1003, words, Retry_After="500")).retry_after_s == 500


def test_a_refusal_has_the_code_the_words_and_what_to_do() -> None:
    failure = judged(said(400, -2019, "Margin is insufficient."))
    assert (failure.exchange_code, failure.exchange_words) == (-2019, "Margin is insufficient.")
    assert str(failure) == "The exchange refused it: -2019 Margin is insufficient."
    assert failure.hint


def test_a_refusal_without_a_code_has_zero() -> None:
    assert judged(Given(404)).exchange_code == 0


def test_words_that_look_like_a_template_are_words() -> None:
    assert "{0.__class__}" in str(judged(said(400, -1102, "Parameter {0.__class__} {status}")))


def test_endless_words_are_cut() -> None:
    assert len(str(judged(said(400, -1102, "x" * 100_000)))) < 500


BODIES = (
    st.binary(max_size=60)
    | st.sampled_from([b'{"msg":"\xff\xfe"}', b"[" * 100_000, b'{"x":' + b"[" * 100_000])
    | st.builds(
        lambda code, words: msgspec.json.encode({"code": code, "msg": words}),
        st.integers(-(10**12), 10**12) | st.none() | st.text(max_size=5),
        st.text(max_size=60) | st.from_regex(r"banned until \d{13}\b", fullmatch=True) | st.integers(),
    )
)


@given(status=st.integers(200, 599), body=BODIES, retry_after=st.none() | st.text(max_size=12))
def test_whatever_is_answered_is_one_of_the_failures(status: int, body: bytes, retry_after: str | None) -> None:
    failure = judged(Given(status, body, {} if retry_after is None else {"Retry-After": retry_after}))
    if status < 300:
        assert failure is None
    elif status < 400:
        assert type(failure) is BadPayload
    else:
        assert type(failure) in {NotDone, OutcomeUnknown, Limited, Refused, ClockSkew}
        assert str(failure)
    if isinstance(failure, Limited):
        assert failure.retry_after_s is not None
        assert 0 <= failure.retry_after_s <= 4 * 86_400
