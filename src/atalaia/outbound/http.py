"""The hub's HTTP client: every request to another machine goes through here."""

import asyncio
import time
from collections.abc import Mapping
from functools import lru_cache
from http import HTTPStatus
from importlib.metadata import version
from urllib.parse import urljoin, urlsplit

import aiohttp
from yarl import URL

from atalaia.core.errors import AtalaiaError, InvalidField
from atalaia.outbound.guard import Guard, Trust
from atalaia.outbound.limits import DEFAULT_LIMITS, Limits
from atalaia.outbound.response import Response
from atalaia.outbound.sockets import FALLBACK_DELAY_S, guarded_socket_factory, refused_address
from atalaia.sdk.failures import BadPayload, PermanentFailure, TemporaryFailure

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_KEEP_METHOD = frozenset({307, 308})
_CREDENTIALS = frozenset({"authorization", "cookie", "x-api-key", "proxy-authorization"})
_CONNECTIONS = 200
_KEPT_OPEN_S = 15.0


class HttpClient:
    """Lives in one event loop, from its first request to `aclose`."""

    def __init__(self, guard: Guard, *, user_agent: str | None = None) -> None:
        self._guard = guard
        self._user_agent = user_agent or f"Atalaia/{version('atalaia')}"
        self._sessions: dict[Trust, aiohttp.ClientSession] = {}

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        trust: Trust = Trust.TYPED,
        limits: Limits = DEFAULT_LIMITS,
        is_repeatable: bool = False,
    ) -> Response:
        """Send, and read the whole answer, whatever its status (see `raise_for_status`).

        With `is_repeatable` a request that met a kept connection just as the other side closed it goes out once more.

        Raises:
            TargetRefused: the guard's no, also for where a redirect leads.
            TemporaryFailure: no connection, no answer in time, a broken one.
            PermanentFailure: a certificate that does not fit, too many redirects.
            BadPayload: a body larger than the limit.
            InvalidField: `url` is not an HTTP address.
        """
        call = _Call(method.upper(), check_url(url), dict(headers or {}), body)
        started = time.monotonic()
        try:
            async with asyncio.timeout(limits.whole_s):
                return await self._follow(call, trust=trust, limits=limits, repeats=int(is_repeatable), started=started)
        except TimeoutError as error:
            raise TemporaryFailure("No answer within {seconds} s.", seconds=limits.whole_s) from error

    async def aclose(self) -> None:
        for session in self._sessions.values():
            await session.close()
        self._sessions.clear()

    async def _follow(self, call: "_Call", *, trust: Trust, limits: Limits, repeats: int, started: float) -> Response:
        for _ in range(limits.redirects + 1):
            response = await self._once(call, trust=trust, limits=limits, repeats=repeats, started=started)
            target = response.headers.get("Location")
            if limits.redirects == 0 or response.status not in _REDIRECTS or not target:
                return response
            call = call.redirected(response.status, target)
        raise PermanentFailure("More than {count} redirects.", count=limits.redirects)

    async def _once(self, call: "_Call", *, trust: Trust, limits: Limits, repeats: int, started: float) -> Response:
        try:
            return await self._exchange(call, trust=trust, limits=limits, started=started)
        except (aiohttp.ServerDisconnectedError, ConnectionResetError, BrokenPipeError) as error:
            if repeats:
                return await self._once(call, trust=trust, limits=limits, repeats=repeats - 1, started=started)
            raise TemporaryFailure("The connection was closed before the answer.") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            # Not chained: the library's errors quote the address, and the address may hold a token or a signature.
            raise as_failure(error) from None

    async def _exchange(self, call: "_Call", *, trust: Trust, limits: Limits, started: float) -> Response:
        timeout = _timeout(limits.connect_s, limits.read_s)
        async with self.session(trust).request(
            call.method,
            _as_given(call.url),
            headers=call.headers,
            data=call.body,
            timeout=timeout,
            allow_redirects=False,
        ) as answer:
            body, is_cut = await _read(answer, limits)
            return Response(
                status=answer.status,
                headers=answer.headers,
                body=body,
                url=call.url,
                duration_s=time.monotonic() - started,
                is_cut=is_cut,
            )

    def session(self, trust: Trust) -> aiohttp.ClientSession:
        """One pool for each trust: a connection opened for a trusted address must not carry a typed one.

        For outbound's own modules; others call `request`.
        """
        session = self._sessions.get(trust)
        if session is None:
            connector = aiohttp.TCPConnector(
                limit=_CONNECTIONS,
                use_dns_cache=False,
                keepalive_timeout=_KEPT_OPEN_S,
                happy_eyeballs_delay=FALLBACK_DELAY_S,
                resolver=aiohttp.ThreadedResolver(),
                socket_factory=guarded_socket_factory(self._guard, trust=trust),
            )
            session = self._sessions[trust] = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": self._user_agent},
                trust_env=False,
                requote_redirect_url=False,
            )
        return session


class _Call:
    __slots__ = ("body", "headers", "method", "url")

    def __init__(self, method: str, url: str, headers: dict[str, str], body: bytes | None) -> None:
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body

    def redirected(self, status: int, location: str) -> "_Call":
        target = check_url(urljoin(self.url, location))
        headers = self.headers
        if _origin(target) != _origin(self.url):
            headers = {name: value for name, value in headers.items() if name.lower() not in _CREDENTIALS}
        if status in _KEEP_METHOD or self.method in {"GET", "HEAD"}:
            return _Call(self.method, target, headers, self.body)
        return _Call("GET", target, headers, None)


@lru_cache(maxsize=64)
def _timeout(connect_s: float, read_s: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=None, connect=connect_s, sock_connect=connect_s, sock_read=read_s)


def _as_given(url: str) -> URL:
    """To the byte: an address may be signed, and what was percent-encoded must stay so. Beyond ASCII the library encodes."""
    return URL(url, encoded=url.isascii())


def check_url(url: str) -> str:
    """The address itself. Raises: InvalidField."""
    try:
        parts = urlsplit(url)
        is_http = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_http = False
    if not is_http or " " in url or not url.isprintable():  # no other white space is printable
        raise InvalidField("url", "This is not an address that begins with http:// or https://.")
    return url


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port


async def _read(answer: aiohttp.ClientResponse, limits: Limits) -> tuple[bytes, bool]:
    kept = bytearray()
    async for piece in answer.content.iter_any():
        kept += piece
        if len(kept) > limits.body_bytes:
            # The rest is not wanted, and neither is the connection that would still carry it.
            answer.close()
            if limits.cuts_body:
                return bytes(kept[: limits.body_bytes]), True
            raise BadPayload("The answer is larger than {count} bytes.", count=limits.body_bytes)
    return bytes(kept), False


def as_failure(error: Exception) -> AtalaiaError:
    """What an error of the library means for the one who called."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return PermanentFailure("The certificate is not valid: {why}", why=str(error.certificate_error))
    if isinstance(error, aiohttp.InvalidURL):
        return PermanentFailure("This address can't be used.")
    return refused_address(error) or TemporaryFailure(
        "The request failed: {why}",
        why=_why(error),
        may_have_arrived=not isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError),
    )


def _why(error: Exception) -> str:
    if isinstance(error, aiohttp.ServerTimeoutError | TimeoutError):
        return "no answer in time"
    if isinstance(error, aiohttp.ClientConnectorError):
        return str(error.os_error)
    if isinstance(error, aiohttp.ClientResponseError):
        return error.message or "the answer can't be read"  # its text has the address in it
    return str(error) or type(error).__name__


def phrase_of(status: int) -> str:
    """For records that people read, as `404 Not Found`."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
