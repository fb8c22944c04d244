"""Ports over the hub's API, for a worker on another machine: tokens, breakers and records are the hub's.

The wire is in docs/guides/upstreams.md. A hub that can't be reached fails no call by itself: a token that is still good is
used, the breaker goes by what was seen here, and calls are reported once the hub is back.
"""

import asyncio
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from http import HTTPStatus
from typing import Any, Literal, TypeVar
from urllib.parse import quote

import msgspec

from atalaia.core.clock import Clock, to_ms
from atalaia.core.errors import AtalaiaError
from atalaia.core.redaction import Secret
from atalaia.outbound.breaker import CLOSED, FAILURES, BreakerState, Phase, after_call, longest_pause_of, wait_s
from atalaia.outbound.guard import Trust
from atalaia.outbound.http import HttpClient
from atalaia.outbound.limits import Limits
from atalaia.outbound.memory import refusal
from atalaia.outbound.response import Response
from atalaia.outbound.retry import parse_retry_after_s
from atalaia.outbound.upstream import Ports
from atalaia.sdk.failures import BadPayload, PermanentFailure, TemporaryFailure
from atalaia.sdk.upstreams import CallOutcome, CallRecord, Token, UpstreamDeclaration

T = TypeVar("T")
# The hub may be in the middle of a login.
TOKEN_WAIT_S = 45.0
ANSWER_S = 10.0
REPORT_S = 0.5
RETRY_S = 5.0
MOST_IN_REPORT = 500
MOST_WAITING = 10_000
# A key that the hub refuses is the worker's trouble, and no reason to fail its work for good.
_NOT_THE_CALLS_FAULT = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS})


class _Token(msgspec.Struct, frozen=True):
    token: str
    generation: int
    expires_at: datetime | None = None


class _Breaker(msgspec.Struct, frozen=True):
    state: Literal["closed", "open", "trial"]
    retry_after_s: float
    granted: bool = False


class _Calls(msgspec.Struct, frozen=True):
    breakers: dict[str, _Breaker]


class _Refusal(msgspec.Struct, frozen=True):
    code: str = ""
    message: str = ""


class _Refused(msgspec.Struct, frozen=True):
    error: _Refusal = _Refusal()


class RemoteHub:
    """`ports` gives what a client is made with. `headers` has the worker's key."""

    def __init__(self, http: HttpClient, url: str, *, headers: Mapping[str, str], clock: Clock) -> None:
        self._http = http
        self._url = url.rstrip("/")
        self._headers = {**headers, "Content-Type": "application/json", "Accept": "application/json"}
        self._clock = clock
        self._made: dict[str, _Remote] = {}

    def ports(self, declaration: UpstreamDeclaration, account: str = "default") -> Ports:
        remote = self._made.setdefault(declaration.name, _Remote(self, declaration, clock=self._clock))
        return Ports(RemoteTokens(self, declaration.name, account, clock=self._clock), remote.breaker, remote.calls)

    async def aclose(self, *, within_s: float = 2.0) -> None:
        """Report what waits, if the hub takes it in time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await asyncio.gather(*(remote.calls.close() for remote in self._made.values()))

    async def ask(self, upstream: str, path: str, body: Any, shape: type[T], *, within_s: float = ANSWER_S) -> T:
        """Raises: TemporaryFailure: away or busy. PermanentFailure: refused. BadPayload."""
        answer = await self._http.request(
            "POST",
            f"{self._url}/api/upstreams/{quote(upstream, safe='')}/{path}",
            headers=self._headers,
            body=msgspec.json.encode(body),
            trust=Trust.CONFIGURED,  # the hub's address is the operator's own
            limits=Limits(read_s=within_s, whole_s=within_s),
            is_repeatable=True,
        )
        if not answer.is_success:
            raise self._refusal(answer)
        try:
            return msgspec.json.decode(answer.body, type=shape)
        except msgspec.DecodeError as error:
            raise BadPayload("The hub's answer can't be read: {why}", why=str(error)) from error

    def _refusal(self, answer: Response) -> AtalaiaError:
        try:
            said = msgspec.json.decode(answer.body, type=_Refused).error
        except msgspec.DecodeError:
            said = _Refusal()
        words: dict[str, Any] = {"status": answer.status, "why": said.message}
        is_passing = answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR or answer.status in _NOT_THE_CALLS_FAULT
        if is_passing and said.code != PermanentFailure.code:
            wait_s = parse_retry_after_s(answer.headers.get("Retry-After"), now=self._clock.now())
            return TemporaryFailure("The hub answered {status}: {why}", retry_after_s=wait_s, **words)
        return PermanentFailure("The hub answered {status}: {why}", **words)


class RemoteTokens:
    """See sdk.upstreams.TokenSource. One question for all who ask meanwhile."""

    def __init__(self, hub: RemoteHub, upstream: str, account: str, *, clock: Clock) -> None:
        self._hub = hub
        self._upstream = upstream
        self._account = account
        self._clock = clock
        self._token: Token | None = None
        self._lock = asyncio.Lock()

    async def token(self, *, rejected_generation: int | None = None) -> Token:
        token = self._token
        if token is not None and self._fits(token, rejected_generation):
            return token
        async with self._lock:
            token = self._token
            if token is not None and self._fits(token, rejected_generation):
                return token
            body = {"account": self._account, "rejected_generation": rejected_generation}
            said = await self._hub.ask(self._upstream, "token", body, _Token, within_s=TOKEN_WAIT_S)
            self._token = Token(Secret(said.token), said.generation, said.expires_at)
            return self._token

    def _fits(self, token: Token, rejected: int | None) -> bool:
        if rejected is not None and token.generation <= rejected:
            return False
        return token.expires_at is None or token.expires_at > self._clock.now()


class RemoteBreaker:
    """See sdk.upstreams.Breaker. Counts here too, so that it opens at once, also while the hub is away."""

    def __init__(self, hub: RemoteHub, declaration: UpstreamDeclaration, *, clock: Clock) -> None:
        self._hub = hub
        self._name = declaration.name
        self._longest_s = longest_pause_of(declaration.polling_interval_s)
        self._clock = clock
        self._states: dict[str, BreakerState] = {}

    async def before(self, account: str) -> None:
        state = self._states.get(account, CLOSED)
        if state.phase == "closed":
            return
        if (left_s := wait_s(state, now_ms=self._now_ms())) > 0:
            raise refusal(left_s)
        try:
            said = await self._hub.ask(self._name, "breaker/trial", {"account": account}, _Breaker)
        except (PermanentFailure, BadPayload) as error:
            raise TemporaryFailure("The hub gives no trial: {why}", why=str(error)) from error
        self.take(account, said)
        if not said.granted:
            raise refusal(said.retry_after_s)

    def after(self, account: str, outcome: CallOutcome) -> None:
        self._states[account] = after_call(
            self._states.get(account, CLOSED), outcome, now_ms=self._now_ms(), longest_pause_s=self._longest_s
        )

    def take(self, account: str, said: _Breaker) -> None:
        """The hub's word, which knows what all others have seen; durations, since clocks differ."""
        now_ms = self._now_ms()
        state = self._states.get(account, CLOSED)
        if said.state == "closed":
            # What was counted here since the last report stays: the hub's own count comes too late to open it at once.
            self._states[account] = state if state.phase == "closed" else CLOSED
        else:
            phase: Phase = "trial" if said.granted else "open"
            until_ms = now_ms + int(said.retry_after_s * 1000)
            self._states[account] = BreakerState(
                phase=phase, pauses=max(1, state.pauses), since_ms=now_ms, until_ms=until_ms
            )

    def _now_ms(self) -> int:
        return to_ms(self._clock.now())


class RemoteCalls:
    """See sdk.upstreams.CallSink. Reports within a second, failures at once; what can't be reported waits, the oldest goes."""

    def __init__(self, hub: RemoteHub, upstream: str, breaker: RemoteBreaker) -> None:
        self._hub = hub
        self._upstream = upstream
        self._breaker = breaker
        self._waiting: deque[CallRecord] = deque(maxlen=MOST_WAITING)
        self._soon = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._is_closing = False

    def record(self, call: CallRecord) -> None:
        self._waiting.append(call)
        if call.outcome in FAILURES:
            self._soon.set()
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._report())

    async def close(self) -> None:
        self._is_closing = True
        self._soon.set()
        if self._task is not None:
            try:
                await self._task
            finally:
                self._task.cancel()

    async def _report(self) -> None:
        """Runs as long as something waits."""
        pause_s = REPORT_S
        while self._waiting:
            with suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._soon.wait()
            self._soon.clear()
            try:
                await self._send([self._waiting[place] for place in range(min(MOST_IN_REPORT, len(self._waiting)))])
                pause_s = REPORT_S
            except TemporaryFailure:
                if self._is_closing:
                    return
                pause_s = RETRY_S
            except (PermanentFailure, BadPayload):
                # The hub does not want them, and will not want them later.
                for _ in range(min(MOST_IN_REPORT, len(self._waiting))):
                    self._waiting.popleft()

    async def _send(self, calls: list[CallRecord]) -> None:
        items = [_item(call) for call in calls]
        said = await self._hub.ask(self._upstream, "calls", {"items": items}, _Calls)
        for call in calls:
            if self._waiting and self._waiting[0] is call:  # else it was pushed out meanwhile
                self._waiting.popleft()
        for account, breaker in said.breakers.items():
            self._breaker.take(account, breaker)


class _Remote:
    def __init__(self, hub: RemoteHub, declaration: UpstreamDeclaration, *, clock: Clock) -> None:
        self.breaker = RemoteBreaker(hub, declaration, clock=clock)
        self.calls = RemoteCalls(hub, declaration.name, self.breaker)


def _item(call: CallRecord) -> dict[str, Any]:
    values = {name: getattr(call, name) for name in ("account", "operation", "outcome", "duration_ms", "at", "error")}
    return {**values, "status": call.status} if call.status is not None else values
