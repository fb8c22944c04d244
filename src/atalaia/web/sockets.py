"""WebSockets of integrations at the edge: refused before the handshake, within limits while open, closed at a stop."""

import asyncio
import contextlib
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import unquote

import structlog
from structlog.contextvars import bind_contextvars, clear_contextvars

from atalaia.core.errors import NotFound, Overloaded
from atalaia.core.translations import N_, Translations, choose_locale
from atalaia.sdk.sockets import (
    GOING_AWAY,
    NORMAL,
    PROTOCOL_ERROR,
    TOO_LARGE,
    UNSUPPORTED,
    Socket,
    SocketClosed,
    SocketRequest,
    SocketRoute,
)
from atalaia.web.addresses import TrustedProxies, header
from atalaia.web.answers import JSON, send_bytes
from atalaia.web.errors import answer_to

_PARAMETER: Final = re.compile(r"\\\{(\w+)\\\}")
_UNAUTHENTICATED: Final = 401
_UPGRADE_REQUIRED: Final = 426
_INTERNAL: Final = 1011
_GONE: Final = 1006
_STOP_S: Final = 1.0
_BODY: Final = b'{"error":{"code":"upgrade_required","message":"This address takes WebSockets only.","hint":null}}'

log = structlog.get_logger()


class OpenSocket:
    """sdk.sockets.Socket over ASGI."""

    def __init__(
        self, request: SocketRequest, route: SocketRoute, channel: tuple[Any, Any], subprotocol: str | None
    ) -> None:
        self.request = request
        self.subprotocol = subprotocol
        self._route = route
        self._receive, self._send = channel
        self._is_closed = False

    async def receive(self) -> str:
        if self._is_closed:
            raise SocketClosed(GOING_AWAY)
        try:
            async with asyncio.timeout(self._route.idle_s):
                message = await self._receive()
        except TimeoutError:
            return await self._end(GOING_AWAY, "silent for too long")
        if message["type"] == "websocket.disconnect":
            self._is_closed = True
            raise SocketClosed(message.get("code") or _GONE)
        text = message.get("text")
        if text is None:
            return await self._end(UNSUPPORTED, "text only")
        if len(text) > self._route.max_message_bytes:
            return await self._end(TOO_LARGE, "too large")
        return str(text)

    async def send(self, text: str) -> None:
        if self._is_closed:
            raise SocketClosed(GOING_AWAY)
        await self._say({"type": "websocket.send", "text": text})

    async def close(self, code: int = NORMAL, reason: str = "") -> None:
        if self._is_closed:
            return
        self._is_closed = True
        try:
            await self._say({"type": "websocket.close", "code": code, "reason": reason})
        except SocketClosed:
            return

    async def _end(self, code: int, reason: str) -> str:
        await self.close(code, reason)
        raise SocketClosed(code, reason)

    async def _say(self, message: Mapping[str, Any]) -> None:
        try:
            await self._send(message)
        except (OSError, RuntimeError) as error:  # the server's word for a peer that has left
            self._is_closed = True
            raise SocketClosed(_GONE) from error


class SocketDoor:
    """All WebSocket routes of the hub."""

    def __init__(self, routes: Sequence[SocketRoute], *, proxies: TrustedProxies, translations: Translations) -> None:
        self._routes = [(re.compile(_pattern(route.path)), route) for route in routes]
        self._open: dict[str, set[object]] = {route.path: set() for route in routes}
        self._left = asyncio.Event()
        self._sockets: set[OpenSocket] = set()
        self._proxies = proxies
        self._translations = translations
        self._is_closing = False

    @property
    def count(self) -> int:
        return len(self._sockets)

    @property
    def max_message_bytes(self) -> int:
        return max((route.max_message_bytes for _, route in self._routes), default=0)

    def takes(self, path: str) -> bool:
        return self._find(path) is not None

    async def say_upgrade(self, send: Any) -> None:
        """To a plain request."""
        headers = (JSON, (b"upgrade", b"websocket"), (b"connection", b"Upgrade"))
        await send_bytes(send, _UPGRADE_REQUIRED, _BODY, headers)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        clear_contextvars()
        bind_contextvars(request_id=scope["state"]["request_id"])
        await receive()  # websocket.connect
        found = self._find(_path_of(scope))
        if found is None:
            await self._refuse(scope, send, NotFound(N_("there is nothing here")), realm="")
            return
        route, params = found
        taken, own = self._open[route.path], object()
        request = self._request(scope, params)
        try:
            self._check_room(route)
            taken.add(own)
            peer = await route.authenticate(request)
        except Exception as error:  # noqa: BLE001 - the edge: everything becomes an answer
            await self._refuse(scope, send, error, realm=route.realm)
        else:
            await self._serve(route, request, peer, (receive, send))
        finally:
            taken.discard(own)
            self._left.set()

    def _check_room(self, route: SocketRoute) -> None:
        """Raises: Overloaded."""
        if self._is_closing or len(self._open[route.path]) >= route.most:
            raise Overloaded(N_("As many are connected here as may be."), retry_after_s=30)

    async def close_all(self) -> None:
        """At a stop: a close frame to each, and a moment for those who serve them."""
        self._is_closing = True
        await asyncio.gather(*(each.close(GOING_AWAY, "the hub stops") for each in [*self._sockets]))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_STOP_S):
                while any(self._open.values()):
                    self._left.clear()
                    await self._left.wait()

    async def _serve(self, route: SocketRoute, request: SocketRequest, peer: Any, channel: tuple[Any, Any]) -> None:
        agreed = next((name for name in route.subprotocols if name in request.subprotocols), None)
        socket = OpenSocket(request, route, channel, agreed)
        self._sockets.add(socket)
        try:
            await channel[1]({"type": "websocket.accept", "subprotocol": agreed})
            if route.subprotocols and agreed is None:
                await socket.close(PROTOCOL_ERROR, f"it speaks {', '.join(route.subprotocols)}")
                return
            await self._talk(route, socket, peer)
        except OSError:  # gone before the handshake was done
            return
        finally:
            self._sockets.discard(socket)

    async def _talk(self, route: SocketRoute, socket: Socket, peer: Any) -> None:
        try:
            await route.serve(socket, peer)
        except SocketClosed:
            return
        except Exception:
            log.exception("socket_failed", path=route.path)
            await socket.close(_INTERNAL, "something went wrong here")
        else:
            await socket.close()

    async def _refuse(self, scope: Any, send: Any, error: Exception, *, realm: str) -> None:
        locale = choose_locale(header(scope, b"accept-language"))
        answer = answer_to(error, self._translations.translator(locale))
        headers = [JSON]
        if answer.status == _UNAUTHENTICATED:
            headers.append((b"www-authenticate", f'Basic realm="{realm}", charset="UTF-8"'.encode()))
        if answer.retry_after_s is not None:
            headers.append((b"retry-after", b"%d" % max(1, round(answer.retry_after_s))))
        body = answer.body(scope["state"]["request_id"])
        length = (b"content-length", b"%d" % len(body))
        try:
            await send(
                {"type": "websocket.http.response.start", "status": answer.status, "headers": [*headers, length]}
            )
            await send({"type": "websocket.http.response.body", "body": body})
        except OSError:
            return

    def _find(self, path: str) -> tuple[SocketRoute, Mapping[str, str]] | None:
        for pattern, route in self._routes:
            if (match := pattern.fullmatch(path)) is not None:
                return route, {name: unquote(value) for name, value in match.groupdict().items()}
        return None

    def _request(self, scope: Any, params: Mapping[str, str]) -> SocketRequest:
        return SocketRequest(
            path=scope["path"],
            path_params=params,
            headers={str(name, "latin-1"): str(value, "latin-1") for name, value in scope["headers"]},
            client=self._proxies.client_of(scope),
            subprotocols=tuple(scope.get("subprotocols", ())),
        )


def _path_of(scope: Any) -> str:
    """As it came: an escaped slash belongs to its part."""
    raw = scope.get("raw_path")
    return str(raw, "latin-1").partition("?")[0] if raw else str(scope["path"])


def _pattern(path: str) -> str:
    return _PARAMETER.sub(r"(?P<\1>[^/]+)", re.escape(path))
