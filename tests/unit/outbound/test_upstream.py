"""The one client over real servers; ports in memory."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from atalaia.core.redaction import Secret
from atalaia.outbound.guard import Guard, Trust
from atalaia.outbound.http import HttpClient
from atalaia.outbound.memory import MemoryBreaker, MemoryCalls, MemoryTokens
from atalaia.outbound.upstream import Ports, UpstreamClient
from atalaia.sdk.failures import AuthExpired, PermanentFailure, TemporaryFailure
from atalaia.sdk.upstreams import Answer, Login, Token, Upstream, UpstreamDeclaration
from tests.fakes import FakeClock
from tests.servers import free_port
from tests.unit.outbound.receiver import Receiver, Request, always, receiving, reply
from tests.unit.outbound.socket_server import Line, socket_server

Answers = Callable[[Request], Awaitable[bytes | None]]


@dataclass
class Kit:
    upstream: UpstreamClient
    tokens: MemoryTokens
    breaker: MemoryBreaker
    calls: MemoryCalls
    clock: FakeClock

    def outcomes(self) -> list[str]:
        return [call.outcome for call in self.calls.calls]


@asynccontextmanager
async def a_kit(**declared: Any) -> AsyncIterator[Kit]:
    clock = FakeClock()
    logins = iter(range(1, 100))

    async def login() -> Login:
        await asyncio.sleep(0)
        return Login(Secret(f"session-token-{next(logins)}"))

    http = HttpClient(Guard())
    tokens, breaker, calls = MemoryTokens(login, clock=clock), MemoryBreaker(clock=clock), MemoryCalls()
    upstream = UpstreamClient(
        UpstreamDeclaration(name="tracker", title="Tracker", **declared),
        http=http,
        ports=Ports(tokens, breaker, calls),
        clock=clock,
        trust=lambda: Trust.CONFIGURED,
        chance=lambda: 0.0,
    )
    try:
        yield Kit(upstream, tokens, breaker, calls, clock)
    finally:
        await http.aclose()


def _run(use: Callable[[Kit, Receiver], Awaitable[None]], answer: Answers | None = None, **declared: Any) -> None:
    async def run() -> None:
        async with receiving(answer) as receiver, a_kit(**declared) as kit:
            await use(kit, receiver)

    asyncio.run(run())


def _one_after_another(*answers: bytes | None) -> Answers:
    """The last one stands for all that follow."""
    rest = list(answers)

    async def answer(_request: Request) -> bytes | None:
        await asyncio.sleep(0)
        return rest.pop(0) if len(rest) > 1 else rest[0]

    return answer


def _bearer(token: Token) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {token.value.reveal()}"}


def test_it_is_the_upstream_of_the_contract() -> None:
    async def use(kit: Kit, receiver: Receiver) -> None:
        upstream: Upstream = kit.upstream
        answer = await upstream.call("read", "GET", receiver.url)
        assert (answer.status, answer.body) == (200, b"ok")

    _run(use)


def test_every_call_is_counted_with_its_operation_outcome_and_duration() -> None:
    async def use(kit: Kit, receiver: Receiver) -> None:
        await kit.upstream.call("read", "GET", receiver.url)
        with pytest.raises(PermanentFailure):
            await kit.upstream.call("write", "POST", receiver.url)
        first, second = kit.calls.calls
        assert (first.upstream, first.operation, first.outcome, first.status) == ("tracker", "read", "ok", 200)
        assert first.duration_ms > 0
        assert (second.operation, second.outcome, second.status) == ("write", "permanent", 404)

    _run(use, _one_after_another(reply(), reply(404)))


@pytest.mark.parametrize("answers", [(reply(503), reply(429), reply()), (None, None, None, None, reply(500), reply())])
def test_a_repeatable_call_is_tried_three_times(answers: tuple[bytes | None, ...]) -> None:
    async def use(kit: Kit, receiver: Receiver) -> None:
        answer = await kit.upstream.call("read", "GET", receiver.url, is_repeatable=True)
        assert (answer.status, kit.outcomes()) == (200, ["temporary", "temporary", "ok"])

    _run(use, _one_after_another(*answers))


def test_three_tries_are_all() -> None:
    async def use(kit: Kit, receiver: Receiver) -> None:
        with pytest.raises(TemporaryFailure):
            await kit.upstream.call("read", "GET", receiver.url, is_repeatable=True)
        assert len(receiver.requests) == 3

    _run(use, always(reply(500)))


@pytest.mark.parametrize("raw", [reply(500), reply(429), None])
def test_a_call_that_is_not_declared_repeatable_goes_out_once(raw: bytes | None) -> None:
    async def use(kit: Kit, receiver: Receiver) -> None:
        with pytest.raises(TemporaryFailure):
            await kit.upstream.call("act", "POST", receiver.url, body=b"x")
        assert len(receiver.requests) == 1

    _run(use, always(raw))


@pytest.mark.parametrize("status", [400, 404, 408, 422, 423])
def test_a_no_is_not_asked_again(status: int) -> None:
    async def use(kit: Kit, receiver: Receiver) -> None:
        with pytest.raises((PermanentFailure, TemporaryFailure)):
            await kit.upstream.call("read", "GET", receiver.url, is_repeatable=True)
        assert len(receiver.requests) == 1

    _run(use, always(reply(status)))


def test_the_other_sides_wait_is_kept_and_one_that_is_too_long_is_handed_on() -> None:
    async def use(kit: Kit, receiver: Receiver) -> None:
        with pytest.raises(TemporaryFailure) as caught:
            await kit.upstream.call("read", "GET", receiver.url, is_repeatable=True)
        assert caught.value.retry_after_s == 3600
        assert len(receiver.requests) == 1

    _run(use, always(reply(429, Retry_After="3600")))


def test_the_whole_of_a_call_is_bounded_repeats_too() -> None:
    never = asyncio.Event()

    async def answer(_request: Request) -> bytes | None:
        await never.wait()
        return None

    async def use(kit: Kit, receiver: Receiver) -> None:
        async with asyncio.timeout(60):
            with pytest.raises(TemporaryFailure):
                await kit.upstream.call("read", "GET", receiver.url, is_repeatable=True)

    _run(use, answer, whole_s=0.2, read_s=0.15)


def test_repeats_stop_when_the_budget_is_used_up() -> None:
    async def use(kit: Kit, receiver: Receiver) -> None:
        for _ in range(8):
            kit.clock.advance(0.1)
            with pytest.raises(TemporaryFailure):
                await kit.upstream.call("read", "GET", receiver.url, is_repeatable=True)
            kit.breaker._states.clear()
        assert len(receiver.requests) == 8 + 10

    _run(use, always(reply(500)))


def test_after_five_failures_it_is_left_alone_and_one_trial_brings_it_back() -> None:
    async def use(kit: Kit, receiver: Receiver) -> None:
        for _ in range(5):
            with pytest.raises(TemporaryFailure):
                await kit.upstream.call("read", "GET", receiver.url)
        with pytest.raises(TemporaryFailure) as caught:
            await kit.upstream.call("read", "GET", receiver.url)
        assert (caught.value.retry_after_s, len(receiver.requests)) == (30, 5)
        assert kit.outcomes()[-1] == "refused"
        kit.clock.advance(30)
        assert (await kit.upstream.call("read", "GET", receiver.url)).status == 200
        assert kit.breaker.state().phase == "closed"

    _run(use, _one_after_another(*[reply(500)] * 5, reply()))


def test_a_trial_that_is_cancelled_gives_its_place_back() -> None:
    never = asyncio.Event()
    answers = iter([reply(500)] * 5)

    async def answer(_request: Request) -> bytes | None:
        if (made := next(answers, None)) is None:
            await never.wait()
        return made

    async def use(kit: Kit, receiver: Receiver) -> None:
        for _ in range(5):
            with pytest.raises(TemporaryFailure):
                await kit.upstream.call("read", "GET", receiver.url)
        kit.clock.advance(30)
        trial = asyncio.create_task(kit.upstream.call("read", "GET", receiver.url))
        await receiver.wait_for(6)
        trial.cancel()
        await asyncio.gather(trial, return_exceptions=True)
        await kit.breaker.before("default")

    _run(use, answer)


def test_a_401_means_one_login_and_one_repeat_for_all_who_ask() -> None:
    async def answer(request: Request) -> bytes | None:
        await asyncio.sleep(0)
        return reply() if request.headers["authorization"] == "Bearer session-token-2" else reply(401)

    async def use(kit: Kit, receiver: Receiver) -> None:
        await kit.upstream.token()
        calls = [kit.upstream.call("read", "GET", receiver.url, authorize=_bearer) for _ in range(10)]
        assert [answer.status for answer in await asyncio.gather(*calls)] == [200] * 10
        assert (kit.tokens.logins, len(receiver.requests)) == (2, 20)

    _run(use, answer)


def test_a_second_401_is_not_repeated() -> None:
    async def use(kit: Kit, receiver: Receiver) -> None:
        with pytest.raises(AuthExpired):
            await kit.upstream.call("read", "GET", receiver.url, authorize=_bearer)
        assert (kit.tokens.logins, len(receiver.requests)) == (2, 2)

    _run(use, always(reply(401)))


@pytest.mark.parametrize(("body", "logins"), [(b"Session expired", 2), (b"action forbidden", 1)])
def test_a_403_that_names_the_session_is_taken_for_a_401(body: bytes, logins: int) -> None:
    async def use(kit: Kit, receiver: Receiver) -> None:
        with pytest.raises((AuthExpired, PermanentFailure)):
            await kit.upstream.call("read", "GET", receiver.url, authorize=_bearer)
        assert kit.tokens.logins == logins

    _run(use, always(reply(403, body)), token_markers=("session", "token"))


def test_a_401_without_a_token_is_just_told() -> None:
    async def use(kit: Kit, receiver: Receiver) -> None:
        with pytest.raises(AuthExpired):
            await kit.upstream.call("read", "GET", receiver.url)
        assert (kit.tokens.logins, len(receiver.requests)) == (0, 1)

    _run(use, always(reply(401)))


def test_a_token_is_in_no_record() -> None:
    async def use(kit: Kit, receiver: Receiver) -> None:
        token = await kit.upstream.token()
        with pytest.raises(TemporaryFailure):
            await kit.upstream.call("read", "GET", f"http://127.0.0.1:1/{token.value.reveal()}/x")
        record = kit.calls.calls[-1]
        assert record.outcome == "temporary"
        assert token.value.reveal() not in repr(record)
        assert receiver.requests == []

    _run(use)


def _socket_url(port: int) -> Callable[[Token], str]:
    return lambda token: f"ws://127.0.0.1:{port}/{token.value.reveal()}/json"


@pytest.mark.parametrize("status", [401, 403])
def test_a_socket_refused_for_its_token_is_opened_again_with_a_new_one(status: int) -> None:
    async def talk(line: Line) -> None:
        await line.send(b"hello")
        await line.receive()

    async def run() -> None:
        async with a_kit() as kit, socket_server(talk, status) as server:
            async with kit.upstream.socket("watch", _socket_url(server.port)) as frames:
                assert await frames.receive(within_s=60) == "hello"
            assert [line.path for line in server.lines] == ["/session-token-1/json", "/session-token-2/json"]
            assert (kit.outcomes(), kit.tokens.logins) == (["auth", "ok"], 2)

    asyncio.run(run())


def test_a_socket_of_an_upstream_without_login_asks_for_no_token() -> None:
    async def talk(line: Line) -> None:
        await line.send(b"hello")
        await line.receive()

    async def run() -> None:
        async with a_kit() as kit, socket_server(talk) as server:
            async with kit.upstream.socket("watch", f"ws://127.0.0.1:{server.port}/json") as frames:
                assert await frames.receive(within_s=60) == "hello"
            assert [line.path for line in server.lines] == ["/json"]
            assert (kit.outcomes(), kit.tokens.logins) == (["ok"], 0)

    asyncio.run(run())


def test_a_socket_without_login_that_is_refused_logs_nobody_in() -> None:
    async def talk(line: Line) -> None:
        await line.receive()

    async def run() -> None:
        async with a_kit() as kit, socket_server(talk, 401) as server:
            with pytest.raises(AuthExpired):
                async with kit.upstream.socket("watch", f"ws://127.0.0.1:{server.port}/json"):
                    pass
            assert (kit.outcomes(), kit.tokens.logins) == (["auth"], 0)

    asyncio.run(run())


def test_a_socket_that_breaks_is_counted_as_a_failure() -> None:
    async def talk(line: Line) -> None:
        line.writer.transport.abort()
        await asyncio.sleep(0)

    async def run() -> None:
        async with a_kit() as kit, socket_server(talk) as server:
            with pytest.raises(TemporaryFailure):
                async with kit.upstream.socket("watch", _socket_url(server.port)) as frames:
                    await frames.receive(within_s=60)
            assert kit.outcomes() == ["ok", "temporary"]

    asyncio.run(run())


def test_what_the_work_itself_makes_of_a_frame_is_not_the_lines_fault() -> None:
    async def talk(line: Line) -> None:
        await line.receive()

    async def run() -> None:
        async with a_kit() as kit, socket_server(talk) as server:
            with pytest.raises(TemporaryFailure, match="not ready"):
                async with kit.upstream.socket("watch", _socket_url(server.port)):
                    raise TemporaryFailure("not ready yet")
            assert kit.outcomes() == ["ok"]

    asyncio.run(run())


def test_a_token_is_used_until_its_life_is_over() -> None:
    async def use(kit: Kit, _receiver: Receiver) -> None:
        first = await kit.upstream.token()
        kit.clock.advance(6 * 3600 - 1)
        assert await kit.upstream.token() == first
        kit.clock.advance(1)
        assert (await kit.upstream.token()).generation == first.generation + 1

    _run(use)


def test_who_asks_may_judge_an_answer_before_its_status_does() -> None:
    def judge(answer: Answer) -> None:
        if b"not done" in answer.body:
            raise TemporaryFailure("Not done.", may_have_arrived=False)

    async def use(kit: Kit, receiver: Receiver) -> None:
        with pytest.raises(TemporaryFailure, match="Not done") as judged:
            await kit.upstream.call("order", "POST", f"{receiver.url}/order", judge=judge)
        with pytest.raises(PermanentFailure, match="400"):
            await kit.upstream.call("order", "POST", f"{receiver.url}/order", judge=judge)
        assert judged.value.may_have_arrived is False
        assert kit.outcomes() == ["temporary", "permanent"]

    _run(use, _one_after_another(reply(503, b"not done"), reply(400, b"no")))


def test_a_request_that_never_left_is_told_from_one_that_may_have_arrived() -> None:
    async def use(kit: Kit, receiver: Receiver) -> None:
        async def fails(url: str) -> bool:
            with pytest.raises(TemporaryFailure) as failure:
                await kit.upstream.call("order", "POST", url)
            return failure.value.may_have_arrived

        assert await fails(f"{receiver.url}/cut")
        assert not await fails(f"http://127.0.0.1:{free_port()}/")
        for _ in range(3):
            await fails(f"{receiver.url}/cut")
        assert not await fails(f"{receiver.url}/cut")  # the breaker is open by now

    _run(use, always(None))
