"""Who asks the simulated exchange, and how it knows."""

from dataclasses import replace

import pytest

from atalaia_simulators.binance import signing
from tests.unit.simulators.binance.trader import Trader, sign

# The exchange's published example.
SECRET = "2b5eb11e18796d12d88f13dc27dbbd02c2cc51ff7059765ed9821957d82bb4d9"
TEXT = (
    "symbol=BTCUSDT&side=BUY&type=LIMIT&quantity=1&price=9000&timeInForce=GTC&recvWindow=5000&timestamp=1591702613943"
)
SIGNATURE = "3c661234138461fcc7a7d8746c6558c9842d4e10870d2ecbedf7777cad694af9"
BALANCE = "/fapi/v3/balance"


def test_it_signs_as_the_published_example_does() -> None:
    assert signing.sign(SECRET, TEXT) == SIGNATURE


def test_the_published_example_is_taken_by_an_account_with_its_secret(trader: Trader) -> None:
    """All but its time, which is long past: so the signature was looked at, and found good, only where the time is too."""
    trader.control("accounts", {"api_key": "published", "api_secret": SECRET})
    trader.control("faults", {"clock_skew_ms": 1_591_702_613_943 - trader.now_ms()})
    answer = replace(trader, key="published").send("POST", "/fapi/v1/order", f"{TEXT}&signature={SIGNATURE}")
    assert answer.code == -4061  # it is the example of one-way mode, and so far it came


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"key": None}, 401, -2014),
        ({"key": "nobody"}, 401, -2015),
        ({"secret": "another"}, 400, -1022),
        ({"skew_ms": -6000}, 400, -1021),
        ({"skew_ms": 2000}, 400, -1021),
        ({"skew_ms": -4000}, 200, None),
        ({"skew_ms": 500}, 200, None),
    ],
)
def test_a_request_is_taken_from_its_owner_in_time(
    trader: Trader, changes: dict[str, object], status: int, code: int | None
) -> None:
    answer = replace(trader, **changes).get(BALANCE)  # type: ignore[arg-type]
    assert (answer.status, answer.code) == (status, code)


def test_the_window_is_the_one_that_is_asked_for(trader: Trader) -> None:
    late = replace(trader, skew_ms=-3000)
    assert late.get(BALANCE, recvWindow=1000).code == -1021
    assert late.get(BALANCE, recvWindow=10_000).status == 200
    assert late.get(BALANCE, recvWindow=60_001).code == -1131


def test_a_signature_is_of_query_and_body_together(trader: Trader) -> None:
    query, body = "symbol=BTCUSDT", f"leverage=7&timestamp={trader.now_ms()}"
    signature = sign(trader.secret, query + body)
    answer = trader.send("POST", f"/fapi/v1/leverage?{query}", f"{body}&signature={signature}")
    assert answer.body["leverage"] == 7


def test_a_signature_that_is_not_last_is_none(trader: Trader) -> None:
    text = f"timestamp={trader.now_ms()}"
    signature = sign(trader.secret, text)
    assert trader.ask(f"{BALANCE}?{text}&signature={signature}").status == 200
    assert trader.ask(f"{BALANCE}?signature={signature}&{text}").code == -1022
    assert trader.ask(f"{BALANCE}?{text}").code == -1102
    assert trader.ask(f"{BALANCE}?signature={signature}").code == -1102


def test_what_is_there_twice_is_refused(trader: Trader) -> None:
    assert trader.ask("/fapi/v1/premiumIndex?symbol=BTCUSDT&symbol=ETHUSDT").code == -1101


def test_its_own_time_helps_a_client_whose_clock_differs(trader: Trader) -> None:
    trader.control("faults", {"clock_skew_ms": -20_000})
    assert trader.get(BALANCE).code == -1021
    ahead_ms = trader.ask("/fapi/v1/time").body["serverTime"] - trader.now_ms()
    assert replace(trader, skew_ms=ahead_ms).get(BALANCE).status == 200
