from urllib.parse import parse_qsl

from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from atalaia.core.redaction import Secret
from atalaia.integrations.binance.exchange.signing import signature_of, signed
from atalaia_simulators.binance import signing as theirs

# The exchange's published example, of its page "General info".
SECRET = Secret("2b5eb11e18796d12d88f13dc27dbbd02c2cc51ff7059765ed9821957d82bb4d9")
TEXT = (
    "symbol=BTCUSDT&side=BUY&type=LIMIT&quantity=1&price=9000&timeInForce=GTC&recvWindow=5000&timestamp=1591702613943"
)
WORDS = st.characters(codec="utf-8")
SIGNATURE = "3c661234138461fcc7a7d8746c6558c9842d4e10870d2ecbedf7777cad694af9"


def test_the_published_example_gets_the_published_signature() -> None:
    assert signature_of(TEXT, SECRET) == SIGNATURE


def test_a_whole_request_is_the_published_one_with_the_signature_last() -> None:
    params = {
        "symbol": "BTCUSDT",
        "side": "BUY",
        "type": "LIMIT",
        "quantity": "1",
        "price": "9000",
        "timeInForce": "GTC",
    }
    assert signed(params, SECRET, at_ms=1591702613943, recv_window_ms=5000) == f"{TEXT}&signature={SIGNATURE}"


@given(params=st.dictionaries(st.text(WORDS, min_size=1), st.text(WORDS), max_size=5))
def test_whatever_is_said_comes_over_and_its_signature_is_taken(params: dict[str, str]) -> None:
    params = {key: value for key, value in params.items() if key not in {"recvWindow", "timestamp", "signature"}}
    text = signed(params, SECRET, at_ms=1, recv_window_ms=5000)
    read = dict(parse_qsl(text, keep_blank_values=True))
    assert {key: read[key] for key in params} == params
    assert list(read)[-1] == "signature"
    assert URL(f"http://127.0.0.1/?{text}").raw_query_string == text  # as the HTTP client sends it
    rest, _, signature = text.rpartition("&signature=")
    assert theirs.sign(SECRET.reveal(), rest) == signature
