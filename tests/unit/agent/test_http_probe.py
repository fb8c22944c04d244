import base64
import socket
from typing import Any

import pytest

from atalaia_agent.probes import Context
from atalaia_agent.probes.http_assertions import look_up
from atalaia_agent.reach import Reach
from tests.stillness import unhurried
from tests.unit.agent.local_servers import dropping, http, http_answering, read_request, serving, silent
from tests.unit.agent.measured import measured


def test_an_answer_is_measured_in_phases_that_add_up() -> None:
    with http_answering(http(body=b"hello")) as server:
        found = measured("http", server.url + "/a?b=ç d")
    assert (found.is_ok, found.outcome, found.error) == (True, "ok", None)
    assert found.data == {"address": "127.0.0.1", "status": 200, "bytes": 5}
    assert set(found.phases) == {"dns", "connect", "first_byte", "transfer"}
    assert found.ms is not None
    assert sum(found.phases.values()) <= found.ms
    assert server[0].startswith(b"GET /a?b=%C3%A7%20d HTTP/1.1\r\nHost: 127.0.0.1:")


@pytest.mark.parametrize(
    ("status", "expected", "is_ok"),
    [
        ("200 OK", None, True),
        ("302 Found", None, True),
        ("404 Not Found", None, False),
        ("503 Busy", None, False),
        ("404 Not Found", "200-299,404", True),
        ("404 Not Found", 404, True),
        ("200 OK", ["201-204", 404], False),
        ("301 Moved", "200", False),
    ],
)
def test_the_status_must_be_an_expected_one(status: str, expected: Any, is_ok: bool) -> None:
    with http_answering(http(status)) as server:
        found = measured("http", server.url, expect_status=expected)
    assert found.is_ok is is_ok
    assert found.error == (None if is_ok else "status_mismatch")
    assert found.data["status"] == int(status[:3])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"body_contains": "fine"}, None),
        ({"body_contains": ["fine", "missing"]}, "the body does not contain 'missing'"),
        ({"body_not_contains": "fine"}, "the body contains 'fine'"),
        ({"expect_headers": {"X-Version": "2.1"}}, None),
        ({"expect_headers": {"x-version": None}}, None),
        ({"expect_headers": {"x-version": "3"}}, "header x-version is '2.1-beta', expected '3'"),
        ({"expect_headers": {"x-other": None}}, "header x-other is missing"),
        ({"json_path": "$.jobs[1].state", "json_value": "fine"}, None),
        ({"json_path": {"$.jobs[0].n": 3, "$.jobs[-1].state": "fine"}}, None),
        ({"json_path": "$.jobs[0].n", "json_value": "3"}, None),
        ({"json_path": "$.jobs[0].n", "json_value": 4}, "$.jobs[0].n is 3, expected 4"),
        ({"json_path": "$.nothing.here", "json_value": 1}, "$.nothing.here is null, expected 1"),
    ],
)
def test_assertions_on_the_answer(options: dict[str, Any], message: str | None) -> None:
    body = b'{"jobs": [{"n": 3}, {"state": "fine"}]}'
    with http_answering(http(body=body, X_Version="2.1-beta")) as server:
        found = measured("http", server.url, **options)
    assert found.message == message
    assert found.error == ("assertion_failed" if message else None)


def test_a_json_path_may_quote_names_and_tells_truth_from_numbers() -> None:
    document = {"a b": {"c": [True]}}
    assert look_up(document, "$['a b'].c[0]") is True
    assert look_up(document, "$") == document


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"expect_status": "fine"}, "expect_status"),
        ({"headers": {"X-A": "a\r\nX-B: b"}}, "headers"),
        ({"method": "GET /"}, "method"),
        ({"json_path": "$.a..b"}, "json_path"),
        ({"follow_redirects": "yes"}, "follow_redirects"),
        ({"family": "ipv5"}, "family"),
    ],
)
def test_a_wrong_option_is_an_error_that_names_it(options: dict[str, Any], named: str) -> None:
    with http_answering(http(body=b"{}")) as server:
        found = measured("http", server.url, **options)
    assert (found.is_ok, found.outcome, found.error) == (False, "error", "bad_option")
    assert (found.message or "").startswith(named)


@pytest.mark.parametrize("target", ["ftp://x", "http://", "http://host:99999/", "nonsense"])
def test_a_target_that_is_no_address_is_an_error(target: str) -> None:
    assert measured("http", target).error == "bad_option"


def test_redirects_are_followed_and_their_times_added() -> None:
    answers = [http("302 Found", Location="/next"), http("303 See", Location="?q=1"), http(body=b"there")]
    with http_answering(*answers) as server:
        found = measured("http", server.url + "/start", method="POST", body="x", body_contains="there")
    assert found.is_ok
    assert found.data["redirects"] == 2
    assert [request.split(b" HTTP")[0] for request in server] == [b"POST /start", b"GET /next", b"GET /next?q=1"]


def test_too_many_redirects_fail_and_none_are_followed_unless_wished() -> None:
    with http_answering(http("302 Found", Location="/again")) as server:
        assert measured("http", server.url, max_redirects=3).error == "too_many_redirects"
        assert len(server) == 4
        assert measured("http", server.url, follow_redirects=False).data["status"] == 302


def test_secrets_stay_with_the_origin_that_they_were_meant_for() -> None:
    with http_answering(http()) as other, http_answering(http("302 Found", Location=other.url)) as server:
        secrets = {"username": "ana", "password": "s3cret", "header:X-Token": "t0ken"}
        assert measured("http", server.url, secrets=secrets).is_ok
    credentials = base64.b64encode(b"ana:s3cret")
    assert b"Authorization: Basic " + credentials in server[0]
    assert b"X-Token: t0ken" in server[0]
    assert b"Authorization" not in other[0]
    assert b"t0ken" not in other[0]


def test_a_bearer_token_is_sent_and_never_in_a_message() -> None:
    with http_answering(http(body=b"your token is tok-12345")) as server:
        found = measured("http", server.url, secrets={"token": "tok-12345"}, body_not_contains="tok-12345")
    assert b"Authorization: Bearer tok-12345\r\n" in server[0]
    assert found.message == "the body contains '***'"


def test_a_body_may_come_in_chunks_or_until_the_end() -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nT: x\r\n\r\n"
    to_the_end = b"HTTP/1.0 200 OK\r\n\r\nabcde"
    for answer in (chunked, to_the_end):
        with http_answering(answer) as server:
            found = measured("http", server.url, body_contains="abcde")
        assert (found.is_ok, found.data["bytes"]) == (True, 5)


def test_a_large_body_is_cut_at_the_limit_and_says_so() -> None:
    with http_answering(http(body=b"x" * 200_000 + b"end")) as server:
        found = measured("http", server.url, max_body_bytes=1_000, body_contains="end")
    assert (found.data["bytes"], found.data["is_truncated"]) == (1_000, True)
    assert "only the first 1000 bytes were read" in (found.message or "")


def test_a_request_may_have_method_headers_and_a_json_body() -> None:
    with http_answering(http()) as server:
        assert measured("http", server.url, method="put", headers={"X-A": "1"}, body={"a": "ç"}).is_ok
        assert measured("http", server.url, method="HEAD").is_ok
    assert server[0].startswith(b"PUT / ")
    assert b"X-A: 1\r\n" in server[0]
    assert b"Content-Type: application/json\r\n" in server[0]
    assert server[0].endswith('{"a": "ç"}'.encode())


@pytest.mark.parametrize(
    "answer",
    [
        b"220 mail ready\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nHalf",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 9,
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 20_000,
    ],
)
def test_what_is_not_http_fails_as_a_bad_response(answer: bytes) -> None:
    with http_answering(answer) as server:
        assert measured("http", server.url).error == "bad_response"


def test_an_interim_answer_is_passed_over() -> None:
    with http_answering(b"HTTP/1.1 103 Early Hints\r\n\r\n" + http("204 No Content")) as server:
        assert measured("http", server.url).data["status"] == 204


def test_a_closed_connection_is_reset_and_a_closed_port_refused() -> None:
    with serving(lambda _: None) as port:
        assert measured("http", f"http://127.0.0.1:{port}").error == "connection_reset"
    found = measured("http", f"http://127.0.0.1:{port}")
    assert (found.outcome, found.error) == ("fail", "connection_refused")


def test_silence_is_a_timeout_that_says_of_what() -> None:
    def scene(slower: float) -> None:
        limit_s = 0.2 * slower
        with silent() as port:
            found = measured("http", f"http://127.0.0.1:{port}", timeout_s=limit_s)
        assert (found.outcome, found.error, found.message) == ("timeout", "timeout", f"no answer within {limit_s:g} s")
        with dropping() as port:
            found = measured("http", f"http://127.0.0.1:{port}", timeout_s=limit_s)
        assert (found.outcome, found.message) == ("timeout", f"no connection within {limit_s:g} s")

    unhurried(scene, bears_s=0.1)


def test_an_answer_that_drips_is_a_timeout_too() -> None:
    def drip(sock: socket.socket) -> None:
        read_request(sock)
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx")
        sock.recv(1)

    def scene(slower: float) -> None:
        limit_s = 0.2 * slower
        with serving(drip) as port:
            found = measured("http", f"http://127.0.0.1:{port}", timeout_s=limit_s)
        assert (found.outcome, found.message) == ("timeout", f"the answer was not complete within {limit_s:g} s")

    unhurried(scene, bears_s=0.1)


def test_ipv6_is_reached_by_address_and_by_name() -> None:
    with serving(lambda sock: sock.sendall(http()) if read_request(sock) else None, family=socket.AF_INET6) as port:
        assert measured("http", f"http://[::1]:{port}/").data["address"] == "::1"
        assert measured("http", f"http://[::1]:{port}/", family="ipv4").error == "bad_option"


def test_what_the_agent_may_not_reach_is_not_reached_even_after_a_redirect() -> None:
    with http_answering(http("302 Found", Location="http://169.254.169.254/latest/")) as server:
        found = measured("http", server.url)
    assert (found.outcome, found.error) == ("error", "address_denied")
    with http_answering(http()) as server:
        context = Context(reach=Reach(deny=["127.0.0.0/8"]))
        assert measured("http", server.url, context=context).error == "address_denied"
        assert (
            measured("http", f"http://localhost:{server.port}", context=context, family="ipv4").error
            == "address_denied"
        )
    assert len(server) == 0


def test_a_name_that_does_not_resolve_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    found = measured("http", "http://nowhere.example/")
    assert (found.outcome, found.error, found.message) == ("fail", "dns_failed", "Name or service not known")
