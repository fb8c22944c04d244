"""The live connection: STOMP 1.2 over a WebSocket, a message to all who have subscribed whenever a charger's state changes.

As much of STOMP as one destination needs: https://stomp.github.io/stomp-specification-1.2.html
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

from aiohttp import WSMsgType, web

from atalaia_simulators.cvepro.faults import Faults
from atalaia_simulators.cvepro.site import Site
from atalaia_simulators.cvepro.words import status_of

DESTINATION: Final = "/topic/chargepoints"
_LOOK_S: Final = 0.5
_BEAT_S: Final = 0.5
_PROTOCOLS: Final = ("v12.stomp",)
_ESCAPED: Final = (("\\", "\\\\"), ("\r", "\\r"), ("\n", "\\n"), (":", "\\c"))


class Connection:
    def __init__(self, request: web.Request, socket: web.WebSocketResponse, *, is_known: Callable[[str], bool]) -> None:
        self._request = request
        self._socket = socket
        self._is_known = is_known
        self._subscriptions: dict[str, str] = {}
        self._sent = 0

    async def serve(self) -> None:
        async for message in self._socket:
            if message.type is WSMsgType.TEXT and not await self._take(message.data):
                break
        await self._socket.close()

    async def tell(self, body: Any) -> None:
        text = json.dumps(body)
        for id_, destination in list(self._subscriptions.items()):
            self._sent += 1
            headers = {"subscription": id_, "message-id": str(self._sent), "destination": destination}
            await self._send("MESSAGE", {**headers, "content-type": "application/json"}, text)

    async def beat(self) -> None:
        with contextlib.suppress(ConnectionError):
            await self._socket.send_str("\n")

    def cut(self) -> None:
        if self._request.transport is not None:
            self._request.transport.abort()

    async def _take(self, raw: str) -> bool:
        """Whether it goes on."""
        head, _, _body = raw.strip("\n\0").partition("\n\n")
        command, *lines = head.split("\n")
        headers = dict(line.split(":", 1) for line in reversed(lines) if ":" in line)
        if command in {"CONNECT", "STOMP"}:
            if not self._is_known(headers.get("Authorization", "")):
                await self._send("ERROR", {"message": "Unauthorized"}, "")
                return False
            await self._send("CONNECTED", {"version": "1.2", "heart-beat": f"{int(_BEAT_S * 1000)},0"}, "")
        elif command == "SUBSCRIBE":
            if headers.get("destination") != DESTINATION:
                await self._send("ERROR", {"message": "no such destination"}, "")
                return False
            self._subscriptions[headers.get("id", "0")] = DESTINATION
            if "receipt" in headers:
                await self._send("RECEIPT", {"receipt-id": headers["receipt"]}, "")
        return command != "DISCONNECT"

    async def _send(self, command: str, headers: dict[str, str], body: str) -> None:
        lines = [command, *(f"{_escape(key)}:{_escape(value)}" for key, value in headers.items())]
        with contextlib.suppress(ConnectionError):
            await self._socket.send_str("\n".join(lines) + f"\n\n{body}\0")


class Doorbell:
    """All live connections."""

    def __init__(self, site: Site, faults: Faults, *, is_known: Callable[[str], bool]) -> None:
        self._site = site
        self._faults = faults
        self._is_known = is_known
        self._open: set[Connection] = set()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        if status := self._faults.strike("live_status", path=request.path):
            return web.Response(status=int(status))
        if not self._is_known(request.headers.get("Authorization", "")):
            return web.Response(status=401)
        socket = web.WebSocketResponse(protocols=_PROTOCOLS)
        await socket.prepare(request)
        connection = Connection(request, socket, is_known=self._is_known)
        self._open.add(connection)
        try:
            await connection.serve()
        finally:
            self._open.discard(connection)
        return socket

    async def ring(self, *, times: int = 1) -> int:
        """How many were told."""
        for _ in range(times):
            for connection in list(self._open):
                await connection.tell({"event": "statusChanged"})
        return len(self._open)

    def cut(self) -> None:
        for connection in list(self._open):
            connection.cut()

    async def close(self, _app: web.Application) -> None:
        """While the server still waits for its connections."""
        self.cut()

    async def run(self, _app: web.Application) -> AsyncIterator[None]:
        """While the simulator serves: looks for changes, and beats."""
        task = asyncio.create_task(self._watch())
        yield
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    async def _watch(self) -> None:
        before = self._states()
        while True:
            await asyncio.sleep(_LOOK_S)
            if self._faults.look("live_silent") or not self._open:
                continue
            now = self._states()
            changed = [key for key in now if now[key] != before.get(key)]
            for connection in list(self._open):
                await connection.beat()
                for key in changed:
                    await connection.tell({"event": "statusChanged", "chargeBoxId": key, "status": now[key]})
            before = now

    def _states(self) -> dict[str, str]:
        active, now = self._site.active(), self._site.now()
        faulted = self._faults.look("faulted", ())
        return {
            each.box_id: "Faulted"
            if each.box_id in faulted
            else (self._site.statuses.get(each.box_id) or status_of(active.get(each.box_id), now))[0]
            for each in self._site.chargers()
        }


def _escape(text: str) -> str:
    for plain, escaped in _ESCAPED:
        text = text.replace(plain, escaped)
    return text
