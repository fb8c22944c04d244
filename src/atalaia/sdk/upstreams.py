"""Third parties, as an integration declares and calls them.

`outbound` has the client; who keeps tokens, breakers and records is behind ports, filled from the store in the hub and over
HTTP in a worker.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Literal, Protocol, TypeVar

from atalaia.core.redaction import Secret
from atalaia.sdk.fidelity.templates import Template

T = TypeVar("T")
CallOutcome = Literal["ok", "temporary", "auth", "permanent", "bad_payload", "refused"]


@dataclass(frozen=True, slots=True)
class Token:
    """`generation` grows with each login, so that a rejected token can be named without saying it."""

    value: Secret
    generation: int
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Login:
    """What a login gave; without a life time the declaration's `token_life_s` holds."""

    value: Secret
    expires_at: datetime | None = None


class TokenSource(Protocol):
    async def token(self, *, rejected_generation: int | None = None) -> Token:
        """The token in force; with `rejected_generation` a newer one, after one login for all who ask.

        Raises:
            TemporaryFailure: the login failed, or waits after failures (`retry_after_s`).
            PermanentFailure: the login is refused, or not configured.
        """


class Breaker(Protocol):
    async def before(self, account: str) -> None:
        """Raises: TemporaryFailure: open; `retry_after_s` says when the next trial is."""

    def after(self, account: str, outcome: CallOutcome) -> None: ...


@dataclass(frozen=True, slots=True)
class CallRecord:
    upstream: str
    account: str
    operation: str
    outcome: CallOutcome
    duration_ms: float
    at: datetime
    status: int | None = None
    error: str = ""  # redacted


class CallSink(Protocol):
    def record(self, call: CallRecord) -> None:
        """Never waits and never fails."""


class Answer(Protocol):
    """An answer of a third party, read whole."""

    @property
    def status(self) -> int: ...

    @property
    def headers(self) -> Mapping[str, str]: ...

    @property
    def body(self) -> bytes: ...


class Frames(Protocol):
    """An open WebSocket. Texts go out to the byte as they are given."""

    async def send(self, text: str) -> None: ...

    def __aiter__(self) -> AsyncIterator[str]: ...

    async def receive(self, *, within_s: float) -> str | None:
        """The next text (binary frames decoded as UTF-8); None when nothing came. Raises: TemporaryFailure: it was closed."""

    @property
    def close_reason(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Cached(Generic[T]):
    """A value and how old it is; `error` says why it could not be renewed."""

    value: T
    age_s: float
    is_stale: bool
    error: str | None = None


class Upstream(Protocol):
    """The one client, for one upstream and account."""

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
    ) -> Answer:
        """Send under time limits, budget and breaker; a status of 400 or more raises.

        `judge` sees every answer first, whatever its status, and may raise one of the four failures that says more than
        the status does; what it lets pass is judged by the status.

        `authorize` makes headers of the token; a 401 then means one new login and one repeat. Only `is_repeatable` calls
        are tried again (network error, 5xx, 429).

        Raises:
            TemporaryFailure, AuthExpired, PermanentFailure, BadPayload, TargetRefused.
        """

    def socket(
        self, operation: str, url: str | Callable[[Token], str], *, headers: Mapping[str, str] | None = None
    ) -> AbstractAsyncContextManager[Frames]:
        """Open a WebSocket at an address, or at one made from the token.

        Of a token, a 401/403 at the handshake means one new login and one repeat; a plain address asks for none, and the
        same answer raises AuthExpired.
        """

    async def token(self, *, rejected_generation: int | None = None) -> Token: ...

    async def cached(self, key: str, fetch: Callable[[], Awaitable[T]], *, fresh_s: float, stale_s: float) -> Cached[T]:
        """What `fetch` gave up to `fresh_s` ago, else fetched anew by one for all; on failure the last good up to `stale_s`."""


LoginCall = Callable[[Upstream, Callable[[str], Any]], Awaitable[Login]]


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamDeclaration:
    """An upstream of an integration. `login(upstream, setting)` logs in, and is called by the hub alone, by one hub at a time."""

    name: str
    title: str
    login: LoginCall | None = None
    token_life_s: float = 6 * 3600.0
    min_token_length: int = 1
    # Where it is polled: no pause of its breaker, nor after a login that came to nothing, is longer than this.
    polling_interval_s: float | None = None
    polling_setting: str | None = None  # a setting with these seconds, where people choose them; the hub follows it
    # Its integration itself says what its failing means to people (Host.report_fault): the hub opens no incident beside it.
    is_told_by_integration: bool = False
    token_markers: tuple[str, ...] = ()  # what an AuthExpired says beside 401, for the page
    # Keys of frames whose values change from job to job, though every captured frame may show the same.
    frame_variables: tuple[str, ...] = ()
    built_in_frames: Callable[[], Sequence[Template]] = tuple  # they hold until a capture replaces them
    connect_s: float = 5.0
    read_s: float = 10.0
    whole_s: float = 15.0
    accounts: Callable[[], list[str]] = lambda: ["default"]
