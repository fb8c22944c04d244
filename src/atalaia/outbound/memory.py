"""Ports kept in this process: for tests, and for work that has no hub to ask."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from datetime import timedelta

from atalaia.core.clock import Clock, to_ms
from atalaia.core.redaction import Secret
from atalaia.outbound.breaker import CLOSED, LONGEST_PAUSE_S, BreakerState, after_call, claim_trial, wait_s
from atalaia.sdk.failures import PermanentFailure, TemporaryFailure
from atalaia.sdk.upstreams import CallOutcome, CallRecord, Login, Token

MOST_CALLS = 1000


class MemoryTokens:
    """One login for all who ask. `login` None: the token was given, and can't be renewed."""

    def __init__(
        self,
        login: Callable[[], Awaitable[Login]] | None,
        *,
        clock: Clock,
        life_s: float = 6 * 3600.0,
        given: str | None = None,
    ) -> None:
        self._login = login
        self._clock = clock
        self._life_s = life_s
        self._token = Token(Secret(given), 1, None) if given else None
        self._lock = asyncio.Lock()
        self.logins = 0

    async def token(self, *, rejected_generation: int | None = None) -> Token:
        if (current := self._good(rejected_generation)) is not None:
            return current
        async with self._lock:
            if (current := self._good(rejected_generation)) is not None:
                return current
            if self._login is None:
                raise PermanentFailure("There is no way to log in.")
            self.logins += 1
            found = await self._login()
            generation = self._token.generation + 1 if self._token else 1
            expires_at = found.expires_at or self._clock.now() + timedelta(seconds=self._life_s)
            self._token = Token(found.value, generation, expires_at)
            return self._token

    def _good(self, rejected_generation: int | None) -> Token | None:
        token = self._token
        if token is None or (rejected_generation is not None and token.generation <= rejected_generation):
            return None
        is_over = token.expires_at is not None and token.expires_at <= self._clock.now()
        return None if is_over else token


class MemoryBreaker:
    def __init__(self, *, clock: Clock, longest_pause_s: float = LONGEST_PAUSE_S) -> None:
        self._clock = clock
        self._longest_pause_s = longest_pause_s
        self._states: dict[str, BreakerState] = defaultdict(lambda: CLOSED)

    def state(self, account: str = "default") -> BreakerState:
        return self._states[account]

    async def before(self, account: str) -> None:
        state = self._states[account]
        if state.phase == "closed":
            return
        now_ms = to_ms(self._clock.now())
        claimed = claim_trial(state, now_ms=now_ms)
        if claimed is None:
            raise refusal(wait_s(state, now_ms=now_ms))
        self._states[account] = claimed

    def after(self, account: str, outcome: CallOutcome) -> None:
        self._states[account] = after_call(
            self._states[account], outcome, now_ms=to_ms(self._clock.now()), longest_pause_s=self._longest_pause_s
        )


class MemoryCalls:
    """The newest calls."""

    def __init__(self) -> None:
        self.calls: deque[CallRecord] = deque(maxlen=MOST_CALLS)

    def record(self, call: CallRecord) -> None:
        self.calls.append(call)


def refusal(retry_after_s: float) -> TemporaryFailure:
    """What a call hears while the breaker is open."""
    return TemporaryFailure(
        "After several failures it is left alone for {seconds} s.",
        retry_after_s=retry_after_s,
        seconds=max(1, round(retry_after_s)),
    )
