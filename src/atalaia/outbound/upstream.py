"""The one client of a third party: time limits, repeats within a budget, breaker, tokens, cache; every try is counted."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, Self, TypeVar

from atalaia.core.clock import Clock
from atalaia.core.errors import AtalaiaError
from atalaia.core.redaction import scrub
from atalaia.outbound.budget import RetryBudget
from atalaia.outbound.cache import Cache
from atalaia.outbound.guard import Trust
from atalaia.outbound.http import HttpClient
from atalaia.outbound.limits import Limits
from atalaia.outbound.response import Response, raise_for_status
from atalaia.outbound.retry import Chance, full_jitter_s
from atalaia.outbound.websocket import WebSocket, open_websocket
from atalaia.sdk.failures import AuthExpired, BadPayload, PermanentFailure, TemporaryFailure
from atalaia.sdk.upstreams import (
    Answer,
    Breaker,
    Cached,
    CallOutcome,
    CallRecord,
    CallSink,
    Token,
    TokenSource,
    UpstreamDeclaration,
)

T = TypeVar("T")
TRIES = 3
BASE_PAUSE_S = 0.25
LONGEST_PAUSE_S = 5.0
_MAX_ERROR = 500

_OUTCOMES: Mapping[type[AtalaiaError], CallOutcome] = {
    TemporaryFailure: "temporary",
    AuthExpired: "auth",
    PermanentFailure: "permanent",
    BadPayload: "bad_payload",
}


@dataclass(frozen=True, slots=True)
class Ports:
    """Who keeps what the client must share with others: the store in the hub, the hub's API in a worker."""

    tokens: TokenSource
    breaker: Breaker
    calls: CallSink


@dataclass(frozen=True, slots=True)
class _Sending:
    operation: str
    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None
    is_repeatable: bool
    judge: Callable[[Answer], None] | None = None


class UpstreamClient:
    """See sdk.upstreams.Upstream. One for each upstream and account: cache, budget and connections are shared by its users."""

    def __init__(
        self,
        declaration: UpstreamDeclaration,
        *,
        http: HttpClient,
        ports: Ports,
        clock: Clock,
        account: str = "default",
        trust: Callable[[], Trust] = lambda: Trust.TYPED,
        chance: Chance = random.random,
    ) -> None:
        self._declaration = declaration
        self._account = account
        self._http = http
        self._ports = ports
        self._clock = clock
        self._trust = trust
        self._chance = chance
        self._budget = RetryBudget(clock)
        self._cache = Cache(clock)

    async def call(
        self,
        operation: str,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        is_repeatable: bool = False,
        authorize: Callable[[Token], Mapping[str, str]] | None = None,
        judge: Callable[[Answer], None] | None = None,
    ) -> Response:
        """See sdk.upstreams.Upstream.call. The whole of it, repeats and their pauses too, ends within `whole_s`."""
        sending = _Sending(operation, method, url, headers or {}, body, is_repeatable, judge)
        if authorize is None:
            return await self._tries(sending)
        token = await self._ports.tokens.token()
        try:
            return await self._tries(replace(sending, headers={**sending.headers, **authorize(token)}))
        except AuthExpired:
            token = await self._ports.tokens.token(rejected_generation=token.generation)
        return await self._tries(replace(sending, headers={**sending.headers, **authorize(token)}))

    @asynccontextmanager
    async def socket(
        self, operation: str, url: str | Callable[[Token], str], *, headers: Mapping[str, str] | None = None
    ) -> AsyncIterator[WebSocket]:
        """See sdk.upstreams.Upstream.socket. The handshake is counted, and once more a socket that breaks."""
        if isinstance(url, str):
            opening, frames = await self._open(operation, url, headers)
        else:
            opening, frames = await self._open_with_token(operation, url, headers)
        opened_at = time.monotonic()
        try:
            yield frames
        except (TemporaryFailure, BadPayload) as error:
            # What the block itself makes of the answers is not the line's fault; a closed socket is.
            if frames.close_reason is not None or isinstance(error, BadPayload):
                self._count(operation, _outcome_of(error), opened_at, error=str(error))
            raise
        finally:
            await opening.__aexit__(None, None, None)

    async def token(self, *, rejected_generation: int | None = None) -> Token:
        return await self._ports.tokens.token(rejected_generation=rejected_generation)

    async def cached(self, key: str, fetch: Callable[[], Awaitable[T]], *, fresh_s: float, stale_s: float) -> Cached[T]:
        return await self._cache.get(key, fetch, fresh_s=fresh_s, stale_s=stale_s)

    # -- one after another

    async def _tries(self, sending: _Sending) -> Response:
        until = time.monotonic() + self._declaration.whole_s
        failure: TemporaryFailure | None = None
        self._budget.note_call()
        for number in range(1, TRIES + 1):
            try:
                await self._admitted(sending.operation)
            except TemporaryFailure:
                if failure is not None:  # it was this very call that opened the breaker: its own failure says more
                    raise failure from None
                raise
            try:
                return await self._once(sending, within_s=until - time.monotonic())
            except TemporaryFailure as error:
                failure = error
            pause_s = self._pause_s(failure, number)
            is_last = number == TRIES or time.monotonic() + pause_s >= until
            if is_last or not sending.is_repeatable or not _is_worth_repeating(failure) or not self._budget.take():
                raise failure
            await asyncio.sleep(pause_s)
        raise AssertionError("unreachable")

    def _pause_s(self, failure: TemporaryFailure, number: int) -> float:
        drawn_s = full_jitter_s(number, base_s=BASE_PAUSE_S, cap_s=LONGEST_PAUSE_S, chance=self._chance)
        return max(drawn_s, failure.retry_after_s or 0.0)

    async def _admitted(self, operation: str) -> None:
        try:
            await self._ports.breaker.before(self._account)
        except TemporaryFailure as error:
            error.may_have_arrived = False
            self._record(operation, "refused", 0.0, status=None, error=str(error))
            raise

    async def _once(self, sending: _Sending, *, within_s: float) -> Response:
        started = time.monotonic()
        declared = self._declaration
        limits = Limits(connect_s=declared.connect_s, read_s=declared.read_s, whole_s=max(round(within_s, 2), 0.01))
        with self._verdict(sending.operation, started) as verdict:
            response = await self._http.request(
                sending.method,
                sending.url,
                headers=sending.headers,
                body=sending.body,
                trust=self._trust(),
                limits=limits,
                is_repeatable=sending.is_repeatable,
            )
            verdict.status = response.status
            if sending.judge is not None:
                sending.judge(response)
            if not response.is_success:
                self._raise_for(response)
        return response

    def _raise_for(self, response: Response) -> None:
        """A 403 that names the session is one more way to say 401."""
        if response.status == HTTPStatus.FORBIDDEN:
            text = response.text().lower()
            if any(marker.lower() in text for marker in self._declaration.token_markers):
                raise AuthExpired("The other side answered {status}.", status=response.status)
        raise_for_status(response, now=self._clock.now())

    async def _open_with_token(
        self, operation: str, url: Callable[[Token], str], headers: Mapping[str, str] | None
    ) -> tuple[Any, WebSocket]:
        token = await self._ports.tokens.token()
        try:
            return await self._open(operation, url(token), headers)
        except AuthExpired:
            token = await self._ports.tokens.token(rejected_generation=token.generation)
        return await self._open(operation, url(token), headers)

    async def _open(self, operation: str, url: str, headers: Mapping[str, str] | None) -> tuple[Any, WebSocket]:
        await self._admitted(operation)
        declared = self._declaration
        limits = Limits(connect_s=declared.connect_s, read_s=declared.read_s, whole_s=declared.whole_s)
        with self._verdict(operation, time.monotonic()):
            opening = open_websocket(self._http, url, headers=headers, trust=self._trust(), limits=limits)
            return opening, await opening.__aenter__()

    # -- told

    def _verdict(self, operation: str, started: float) -> "_Verdict":
        return _Verdict(self, operation, started)

    def _count(
        self, operation: str, outcome: CallOutcome, started: float, *, status: int | None = None, error: str = ""
    ) -> None:
        self._ports.breaker.after(self._account, outcome)
        self._record(operation, outcome, time.monotonic() - started, status=status, error=error)

    def _record(self, operation: str, outcome: CallOutcome, seconds: float, *, status: int | None, error: str) -> None:
        self._ports.calls.record(
            CallRecord(
                upstream=self._declaration.name,
                account=self._account,
                operation=operation,
                outcome=outcome,
                duration_ms=seconds * 1000,
                at=self._clock.now(),
                status=status,
                error=scrub(error)[:_MAX_ERROR] if error else "",
            )
        )


class _Verdict:
    """Tells breaker and record how the block went, however it ended."""

    __slots__ = ("_client", "_operation", "_started", "status")

    def __init__(self, client: UpstreamClient, operation: str, started: float) -> None:
        self._client = client
        self._operation = operation
        self._started = started
        self.status: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        client = self._client
        if error is None:
            client._count(self._operation, "ok", self._started, status=self.status)  # noqa: SLF001 - a part of the client
            return
        status = self.status
        if status is None and isinstance(error, AtalaiaError):
            status = error.params.get("status")
        words = str(error) if isinstance(error, AtalaiaError) else type(error).__name__
        client._count(self._operation, _outcome_of(error), self._started, status=status, error=words)  # noqa: SLF001 - as above


def _is_worth_repeating(failure: TemporaryFailure) -> bool:
    """No answer, a 5xx, a 429; what is locked or too early will still be so in a second."""
    status = failure.params.get("status")
    return status is None or status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS


def _outcome_of(error: BaseException) -> CallOutcome:
    """`refused` is no verdict on the upstream: the guard's no, a wrong address, a call that was cancelled."""
    for kind, outcome in _OUTCOMES.items():
        if isinstance(error, kind):
            return outcome
    return "refused"
