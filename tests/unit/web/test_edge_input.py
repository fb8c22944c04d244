"""Who asks, and what comes with it: proxies of all kinds, values that no database keeps, bodies that end early."""

import asyncio
from typing import Any

import pytest

from atalaia.core.errors import BadInput, InvalidField
from atalaia.core.translations import Translations
from atalaia.web.addresses import TrustedProxies
from atalaia.web.bodies import read_body
from atalaia.web.cursors import decode_cursor, encode_cursor
from atalaia.web.edge import Edge


def _client(*forwarded: str, peer: str = "10.0.0.2") -> str:
    headers = [(b"x-forwarded-for", each.encode()) for each in forwarded]
    return TrustedProxies(["10.0.0.0/8"]).client_of({"client": (peer, 1234), "headers": headers})


def test_a_line_that_a_proxy_adds_below_the_senders_own_is_the_one_that_counts() -> None:
    assert _client("198.51.100.9", "203.0.113.5") == "203.0.113.5"
    assert _client("198.51.100.9, 203.0.113.5", "10.0.0.3") == "203.0.113.5"


@pytest.mark.parametrize(
    ("told", "client"),
    [("203.0.113.5:50123", "203.0.113.5"), ("[2001:db8::5]:50123", "2001:db8::5"), ("2001:db8::5", "2001:db8::5")],
)
def test_a_port_that_is_told_with_the_address_makes_no_other_client(told: str, client: str) -> None:
    assert _client(told) == client


def test_a_proxy_is_known_too_where_the_hub_listens_for_both_families() -> None:
    assert _client("203.0.113.5", peer="::ffff:10.0.0.2") == "203.0.113.5"
    assert _client("203.0.113.5", peer="::ffff:192.0.2.1") == "::ffff:192.0.2.1"


def test_a_cursor_with_a_number_that_no_database_has_is_refused() -> None:
    assert decode_cursor(encode_cursor(2**63 - 1, "x"), int, str) == (2**63 - 1, "x")
    for number in (2**63, -(2**63) - 1, 2**200):
        with pytest.raises(InvalidField):
            decode_cursor(encode_cursor(number, "x"), int, str)


def test_a_sender_that_leaves_before_the_body_has_sent_none() -> None:
    async def receive() -> dict[str, Any]:
        await asyncio.sleep(0)
        return {"type": "http.disconnect"}

    with pytest.raises(BadInput):
        asyncio.run(read_body({"headers": [(b"content-length", b"5")]}, receive, limit=10))


def test_nul_in_a_query_is_wrong_input_before_anybody_looks_for_it() -> None:
    asked: list[str] = []

    async def framework(scope: Any, _receive: Any, _send: Any) -> None:
        await asyncio.sleep(0)
        asked.append(scope["path"])

    async def status_of(query: bytes) -> int | None:
        sent: list[dict[str, Any]] = []

        async def send(message: dict[str, Any]) -> None:
            await asyncio.sleep(0)
            sent.append(message)

        edge = Edge(framework, [], proxies=TrustedProxies([]), translations=Translations({}))
        scope = {"type": "http", "method": "GET", "path": "/api/audit", "query_string": query, "headers": []}
        await edge(scope, None, send)
        return sent[0]["status"] if sent else None

    assert asyncio.run(status_of(b"actor=a%00b")) == 400
    assert asked == []
    assert asyncio.run(status_of(b"actor=a%20b")) is None
    assert asked == ["/api/audit"]
