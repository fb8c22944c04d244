import asyncio
import gzip
import secrets
import socket
import traceback
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import pytest

from atalaia.core.errors import InvalidField, TargetRefused
from atalaia.outbound.guard import Guard, Trust
from atalaia.outbound.http import HttpClient
from atalaia.outbound.limits import Limits
from atalaia.outbound.response import Response, raise_for_status
from atalaia.outbound.sockets import open_socket
from atalaia.sdk.failures import AuthExpired, BadPayload, PermanentFailure, TemporaryFailure
from tests.unit.outbound.receiver import Request, always, receiving, reply

T = TypeVar("T")
OPEN = Guard(allow_private=True)


async def _with_client(work: Callable[[HttpClient], Awaitable[T]], *, guard: Guard = OPEN) -> T:
    client = HttpClient(guard)
    try:
        return await work(client)
    finally:
        await client.aclose()


def test_a_request_arrives_as_it_was_sent() -> None:
    async def run() -> None:
        async with receiving(always(reply(201, b"made", X_Kind="a"))) as receiver:
            answer = await _with_client(
                lambda client: client.request("POST", receiver.url + "/x?y=1", headers={"X-A": "b"}, body=b"in")
            )
            assert (answer.status, answer.body, answer.headers["x-kind"]) == (201, b"made", "a")
            sent = receiver.requests[0]
            assert (sent.method, sent.path, sent.headers["x-a"], sent.body) == ("POST", "/x?y=1", "b", b"in")
            assert sent.headers["user-agent"].startswith("Atalaia/")

    asyncio.run(run())


@pytest.mark.parametrize(
    ("given", "sent"),
    [("/a%2Fb?time=12%3A30&q=a%2Fb+c%20d&signature=f0", None), ("/a/../b?x=a|b", None), ("/ação", "/a%C3%A7%C3%A3o")],
)
def test_an_address_goes_out_to_the_byte_since_it_may_be_signed(given: str, sent: str | None) -> None:
    async def run() -> None:
        async with receiving() as receiver:
            await _with_client(lambda client: client.request("GET", receiver.url + given))
            assert receiver.requests[0].path == (sent or given)

    asyncio.run(run())


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]"])
def test_a_typed_private_target_is_refused_whatever_its_spelling(host: str) -> None:
    async def run() -> None:
        async with receiving() as receiver:
            with pytest.raises(TargetRefused):
                await _with_client(
                    lambda client: client.request("GET", f"http://{host}:{receiver.port}/"), guard=Guard()
                )
            assert receiver.connections == 0

    asyncio.run(run())


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "0177.0.0.1", "127.1"])
def test_odd_spellings_of_an_address_are_refused(host: str) -> None:
    with pytest.raises((TargetRefused, PermanentFailure, TemporaryFailure)):
        asyncio.run(_with_client(lambda client: client.request("GET", f"http://{host}:1/"), guard=Guard()))


def test_a_name_that_changes_its_address_is_judged_at_each_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name's first answer is public, its second one loopback: the second must not be reached."""
    answers = iter(["203.0.113.1", "127.0.0.1"])

    async def run() -> None:
        async with receiving() as receiver:

            async def resolve(_host: str, port: int, **_: Any) -> list[Any]:
                await asyncio.sleep(0)
                return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

            monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolve)
            with pytest.raises(TargetRefused):
                await open_socket("rebind.test", receiver.port, guard=Guard(), trust=Trust.TYPED, timeout_s=2)
            with pytest.raises(TargetRefused):
                await _with_client(
                    lambda client: client.request("GET", f"http://rebind.test:{receiver.port}/"), guard=Guard()
                )
            assert receiver.connections == 0

    asyncio.run(run())


def test_a_configured_address_may_be_private() -> None:
    async def run() -> None:
        async with receiving() as receiver:
            answer = await _with_client(
                lambda client: client.request("GET", receiver.url, trust=Trust.CONFIGURED), guard=Guard()
            )
            assert answer.is_success

    asyncio.run(run())


def test_a_connection_opened_for_a_trusted_address_carries_no_typed_request() -> None:
    async def run() -> None:
        async with receiving() as receiver:

            async def work(client: HttpClient) -> None:
                await client.request("GET", receiver.url, trust=Trust.CONFIGURED)
                with pytest.raises(TargetRefused):
                    await client.request("GET", receiver.url)

            await _with_client(work, guard=Guard())

    asyncio.run(run())


def test_redirects_are_followed_only_when_asked_and_drop_credentials_on_another_origin() -> None:
    async def run() -> None:
        async with receiving() as target, receiving(always(reply(302, b"", Location=f"{target.url}/there"))) as first:

            async def work(client: HttpClient) -> None:
                assert (await client.request("GET", first.url)).status == 302
                answer = await client.request(
                    "POST", first.url, headers={"Authorization": "x"}, body=b"b", limits=Limits(redirects=2)
                )
                assert answer.status == 200

            await _with_client(work)
            seen = target.requests[0]
            assert (seen.method, seen.path, seen.body) == ("GET", "/there", b"")
            assert "authorization" not in seen.headers

    asyncio.run(run())


def test_a_redirect_to_a_metadata_service_is_refused() -> None:
    async def run() -> None:
        async with receiving(always(reply(302, b"", Location="http://169.254.169.254/latest"))) as receiver:
            with pytest.raises(TargetRefused):
                await _with_client(lambda client: client.request("GET", receiver.url, limits=Limits(redirects=3)))

    asyncio.run(run())


def test_endless_redirects_end() -> None:
    async def run() -> None:
        async with receiving(always(reply(302, b"", Location="/again"))) as receiver:
            with pytest.raises(PermanentFailure):
                await _with_client(lambda client: client.request("GET", receiver.url, limits=Limits(redirects=3)))
            assert len(receiver.requests) == 4

    asyncio.run(run())


def test_a_large_answer_is_refused_or_cut_also_when_it_was_compressed() -> None:
    bomb = gzip.compress(b"\0" * 5_000_000)

    async def run() -> None:
        async with receiving(always(reply(200, bomb, Content_Encoding="gzip"))) as receiver:

            async def work(client: HttpClient) -> None:
                with pytest.raises(BadPayload):
                    await client.request("GET", receiver.url, limits=Limits(body_bytes=1000))
                answer = await client.request("GET", receiver.url, limits=Limits(body_bytes=1000, cuts_body=True))
                assert (len(answer.body), answer.is_cut) == (1000, True)

            await _with_client(work)

    asyncio.run(run())


def test_a_silent_receiver_is_given_up_after_the_limit() -> None:
    async def hold(_request: Request) -> bytes | None:
        await asyncio.Event().wait()
        return None

    async def run() -> None:
        async with receiving(hold) as receiver:

            async def work(client: HttpClient) -> None:
                for limits in (Limits(whole_s=0.05), Limits(read_s=0.05)):
                    with pytest.raises(TemporaryFailure):
                        await client.request("GET", receiver.url, limits=limits)

            await _with_client(work)

    asyncio.run(run())


def test_nobody_listening_is_a_temporary_failure() -> None:
    async def run() -> None:
        async with receiving() as receiver:
            gone = receiver.url
        with pytest.raises(TemporaryFailure):
            await _with_client(lambda client: client.request("GET", gone))
        with pytest.raises(TemporaryFailure):
            await _with_client(lambda client: client.request("GET", "http://no-such-host.invalid/"))

    asyncio.run(run())


def test_an_answer_that_is_no_http_is_told_without_the_address_it_came_from() -> None:
    signature = secrets.token_hex(32)

    async def run() -> None:
        async with receiving(always(b"HTTP/1.1 200 OK\r\nContent-Length: some\r\n\r\n")) as receiver:

            async def work(client: HttpClient) -> None:
                with pytest.raises(TemporaryFailure) as caught:
                    await client.request("GET", f"{receiver.url}/orders?signature={signature}")
                told = "".join(traceback.format_exception(caught.value))
                assert "The request failed" in told
                assert signature not in told

            await _with_client(work)

    asyncio.run(run())


def test_a_kept_connection_that_was_closed_is_tried_once_more_when_repeatable() -> None:
    answers = iter([None, reply()])

    async def answer(_request: Request) -> bytes | None:
        await asyncio.sleep(0)
        return next(answers, None)

    async def run() -> None:
        async with receiving(answer) as receiver:
            response = await _with_client(
                lambda client: client.request("POST", receiver.url, body=b"x", is_repeatable=True)
            )
            assert response.status == 200
            with pytest.raises(TemporaryFailure):
                await _with_client(lambda client: client.request("POST", receiver.url, body=b"x"))

    asyncio.run(run())


@pytest.mark.parametrize(
    "url", ["", "ftp://a/", "//a", "http://", "file:///etc/passwd", "http://a b/", "http://[x/", "http://a:0/", "x\n"]
)
def test_only_http_addresses_are_taken(url: str) -> None:
    with pytest.raises(InvalidField):
        asyncio.run(_with_client(lambda client: client.request("GET", url)))


@pytest.mark.parametrize(
    ("status", "failure"),
    [
        (500, TemporaryFailure),
        (429, TemporaryFailure),
        (401, AuthExpired),
        (404, PermanentFailure),
        (302, PermanentFailure),
    ],
)
def test_each_bad_status_is_one_of_the_failures(status: int, failure: type[Exception]) -> None:
    response = Response(status, {"Retry-After": "7"}, b"", "http://x/", 0.1)
    with pytest.raises(failure) as raised:
        raise_for_status(response, now=datetime.now(UTC))
    if isinstance(raised.value, TemporaryFailure):
        assert raised.value.retry_after_s == 7


@pytest.mark.parametrize("body", [b"<html>", b"", b'{"why":"\xff\xfe"}', b"[" * 100_000])
def test_an_answer_that_is_not_json_says_so(body: bytes) -> None:
    with pytest.raises(BadPayload):
        Response(200, {}, body, "http://x/", 0.1).json()
