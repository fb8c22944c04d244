"""WebSockets through the same door: same guard, same quick fallback between families, no cookies.

Texts go out to the byte as they are given; permessage-deflate is offered. The address may hold a token, so no error names it.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from urllib.parse import urlsplit

import aiohttp
from aiohttp import ClientWebSocketResponse, WSCloseCode, WSMsgType

from atalaia.core.errors import AtalaiaError, InvalidField
from atalaia.core.redaction import scrub
from atalaia.outbound.guard import Trust
from atalaia.outbound.http import HttpClient, as_failure
from atalaia.outbound.limits import DEFAULT_LIMITS, Limits
from atalaia.sdk.failures import AuthExpired, BadPayload, PermanentFailure, TemporaryFailure

_DEFLATE_WINDOW_BITS = 15
_CLOSE_S = 2.0
_ENDED = frozenset({WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED})
_UNREADABLE = frozenset({WSCloseCode.MESSAGE_TOO_BIG, WSCloseCode.INVALID_TEXT})
_SCHEMES = {"ws": "http", "wss": "https"}


@asynccontextmanager
async def open_websocket(
    http: HttpClient,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    trust: Trust = Trust.TYPED,
    limits: Limits = DEFAULT_LIMITS,
) -> AsyncIterator["WebSocket"]:
    """A connected socket, closed at the end of the block. `limits.body_bytes` bounds one message.

    Raises:
        TemporaryFailure: nobody answers, or with a 5xx.
        AuthExpired: the handshake is answered by 401 or 403.
        PermanentFailure: another status, a certificate that does not fit.
        TargetRefused: the guard's no.
        InvalidField: `url` is no address of a WebSocket.
    """
    socket = await _connect(http, _checked(url), headers=headers or {}, trust=trust, limits=limits)
    try:
        yield WebSocket(socket)
    finally:
        await socket.close()


async def _connect(
    http: HttpClient, url: str, *, headers: Mapping[str, str], trust: Trust, limits: Limits
) -> ClientWebSocketResponse:
    within_s = min(limits.connect_s + limits.read_s, limits.whole_s)
    try:
        async with asyncio.timeout(within_s):
            return await http.session(trust).ws_connect(
                url,
                headers=headers,
                compress=_DEFLATE_WINDOW_BITS,
                max_msg_size=limits.body_bytes,
                timeout=aiohttp.ClientWSTimeout(ws_receive=None, ws_close=_CLOSE_S),
            )
    except TimeoutError:
        # Not chained, here and below: the library's errors quote the address, and the address may hold the token.
        raise TemporaryFailure("No WebSocket within {seconds} s.", seconds=within_s) from None
    except aiohttp.WSServerHandshakeError as error:
        raise _refusal(error.status) from None
    except aiohttp.InvalidURL:
        raise PermanentFailure("This address can't be used.") from None
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise as_failure(error) from None


def _refusal(status: int) -> AtalaiaError:
    message = "The WebSocket was refused: {status}."
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return AuthExpired(message, status=status)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS:
        return TemporaryFailure(message, status=status)
    return PermanentFailure(message, status=status)


class WebSocket:
    """See sdk.upstreams.Frames. One reader at a time."""

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        self._socket = socket
        self._close_reason: str | None = None

    @property
    def close_reason(self) -> str | None:
        """Code and words of the other side, once it has closed: `1001 going away`."""
        return self._close_reason

    async def send(self, text: str) -> None:
        """Raises: TemporaryFailure: it is closed. PermanentFailure: half a character, which has no bytes."""
        try:
            await self._socket.send_str(text)
        except UnicodeEncodeError as error:
            raise PermanentFailure("The text can't be sent as UTF-8: {why}", why=error.reason) from error
        except (aiohttp.ClientError, OSError) as error:
            self._note_end("")
            raise self._closed() from error

    async def receive(self, *, within_s: float) -> str | None:
        """The next text; None when nothing came.

        Raises:
            TemporaryFailure: it was closed.
            BadPayload: a message that is too large, or no UTF-8.
        """
        try:
            message = await self._socket.receive(timeout=within_s)
        except TimeoutError:
            return None
        return self._text_of(message)

    async def __aiter__(self) -> AsyncIterator[str]:
        """Texts until the other side closes."""
        while not self._socket.closed:
            message = await self._socket.receive()
            if message.type in _ENDED:
                self._note_end(message.extra)
                return
            yield self._text_of(message)

    def _text_of(self, message: aiohttp.WSMessage) -> str:
        if message.type is WSMsgType.TEXT:
            return str(message.data)
        if message.type is WSMsgType.BINARY:
            try:
                return bytes(message.data).decode()
            except UnicodeDecodeError as error:
                raise BadPayload("A binary message is no UTF-8.") from error
        if message.type is WSMsgType.ERROR and getattr(message.data, "code", None) in _UNREADABLE:
            raise BadPayload("A message can't be read: {why}", why=str(message.data))
        self._note_end(message.extra)
        raise self._closed()

    def _note_end(self, extra: object) -> None:
        code = self._socket.close_code
        words = f"{code or int(WSCloseCode.ABNORMAL_CLOSURE)} {extra or ''}"
        self._close_reason = self._close_reason or scrub(words).strip()

    def _closed(self) -> TemporaryFailure:
        return TemporaryFailure("The WebSocket was closed: {why}", why=self._close_reason)


def _checked(url: str) -> str:
    try:
        parts = urlsplit(url)
        is_socket = parts.scheme in _SCHEMES and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_socket = False
    if not is_socket or " " in url or not url.isprintable():
        raise InvalidField("url", "This is not an address that begins with ws:// or wss://.")
    return url
