"""The simulator on a port: login, WebSocket, and its own control under `/_sim`."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

from atalaia_simulators.faults import BadFault
from atalaia_simulators.log import Log
from atalaia_simulators.serving import AppInThread, Told, serve_app
from atalaia_simulators.traffilog.book import SHORT_TOKEN_LENGTH, TOKEN_LENGTH, TOKEN_LIFE_S, Book
from atalaia_simulators.traffilog.desk import Desk
from atalaia_simulators.traffilog.faults import Faults
from atalaia_simulators.traffilog.sockets import SESSION_EXPIRED, SESSION_REJECTED, Socket

ORIGIN = "https://operation.traffilog.com"
GUID = re.compile(r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}\Z")
_CONTROL = "/_sim"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Without a name and password any will do, as long as there are some."""

    login_name: str | None = None
    password: str | None = None
    state: Path | None = None
    progress_step: float | None = None
    progress_interval_s: float | None = None


class Traffilog:
    def __init__(self, options: Options | None = None) -> None:
        self._options = options or Options()
        self.book = Book(self._options.state)
        self.faults = Faults()
        self.log = Log()
        self._desk = Desk(self.book, self.faults)
        self._sockets: set[Socket] = set()
        self._count = 0
        self._set_pace()

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self._note])
        app.add_routes(
            [
                web.post("/appengine_3/{guid}/1/json", self._login),
                web.get("/{guid}/{token}/json", self._open),
                web.get(f"{_CONTROL}/log", self._show_log),
                web.get(f"{_CONTROL}/vehicles", self._show_vehicles),
                web.get(f"{_CONTROL}/faults", self._show_faults),
                web.post(f"{_CONTROL}/faults", self._change_faults),
                web.post(f"{_CONTROL}/reset", self._reset),
            ]
        )
        app.on_shutdown.append(self._shut)
        return app

    def _set_pace(self) -> None:
        pace = {"progress_step": self._options.progress_step, "progress_interval_s": self._options.progress_interval_s}
        if given := {name: value for name, value in pace.items() if value is not None}:
            self.faults.change(given)

    @web.middleware
    async def _note(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Everything but control and sockets goes into the log as it came; frames are logged one by one."""
        if not request.path.startswith(_CONTROL) and request.headers.get("Upgrade", "").lower() != "websocket":
            self.log.add(kind="http", raw=await request.text(), method=request.method, path=request.path)
        return await handler(request)

    async def _login(self, request: web.Request) -> web.StreamResponse:
        if not GUID.match(request.match_info["guid"]):
            return web.Response(status=404)
        await asyncio.sleep((self.faults.strike("login_delay_ms") or 0) / 1000)
        if (status := self.faults.strike("login_status")) is not None:
            return _json({"error": "login is not available"}, status=int(status))
        if self.faults.strike("login_empty_body"):
            return web.Response(body=b"", content_type="application/json")
        if self.faults.strike("login_refused") or not self._is_welcome(await request.text()):
            refused = {
                "action_name": "user_login",
                "action_value": "401",
                "error_description": "wrong user name or password",
            }
            return _json({"response": {"properties": refused}})
        return _json({"response": {"properties": self._welcome()}})

    def _is_welcome(self, raw: str) -> bool:
        try:
            action = json.loads(raw)["action"]
            name, password = action["parameters"]["login_name"], action["parameters"]["password"]
        except (ValueError, KeyError, TypeError):
            return False
        if action.get("name") != "user_login" or not all(isinstance(part, str) and part for part in (name, password)):
            return False
        wanted = (self._options.login_name or name, self._options.password or password)
        return wanted == (name, password)

    def _welcome(self) -> dict[str, Any]:
        length = SHORT_TOKEN_LENGTH if self.faults.strike("short_token") else TOKEN_LENGTH
        token = self.book.new_token(life_s=self.faults.look("token_life_s", TOKEN_LIFE_S), length=length)
        done = {"action_name": "user_login", "action_value": "0"}
        if self.faults.strike("token_in_data"):
            return {**done, "data": [{"session_token": token}]}
        return {**done, "session_token": token, "data": []}

    async def _open(self, request: web.Request) -> web.StreamResponse:
        if refused := self._refusal(request):
            return refused
        self._count += 1
        socket = Socket(
            request,
            request.match_info["token"],
            desk=self._desk,
            book=self.book,
            faults=self.faults,
            log=self.log,
            number=self._count,
        )
        self._sockets.add(socket)
        try:
            return await socket.run()
        finally:
            self._sockets.discard(socket)

    def _refusal(self, request: web.Request) -> web.Response | None:
        if not GUID.match(request.match_info["guid"]) or request.query.get("defragment") != "1":
            return web.Response(status=404)
        if request.headers.get("Origin") != ORIGIN or "Cookie" in request.headers:
            return web.Response(status=403, text="forbidden")
        if self.faults.look("only_actions") is None and self.faults.strike("session_rejected"):
            return _refused(*SESSION_REJECTED)
        if not self.book.knows(request.match_info["token"]):
            return _refused(*SESSION_EXPIRED)
        return None

    async def _show_log(self, _request: web.Request) -> web.Response:
        return _json(list(self.log.entries))

    async def _show_vehicles(self, _request: web.Request) -> web.Response:
        return _json(self.book.vehicles())

    async def _show_faults(self, _request: web.Request) -> web.Response:
        return _json({"on": self.faults.shown(), "known": self.faults.known()})

    async def _change_faults(self, request: web.Request) -> web.Response:
        try:
            wanted = json.loads(await request.text() or "{}")
            self.faults.change(wanted)
        except ValueError as error:
            return _json({"error": f"not JSON: {error}"}, status=400)
        except BadFault as error:
            return _json({"error": str(error)}, status=400)
        if not wanted:
            self._set_pace()
        if self.faults.strike("token_expired"):
            self.faults.change({"token_expired": None})
            self.book.expire_tokens()
        return _json(self.faults.shown())

    async def _reset(self, _request: web.Request) -> web.Response:
        for socket in list(self._sockets):
            socket.cut()
        self.faults.change({})
        self._set_pace()
        self._desk.reset()
        self.book.reset()
        self.log.clear()
        return web.Response(status=204)

    async def _shut(self, _app: web.Application) -> None:
        for socket in list(self._sockets):
            socket.cut()
        self.book.close()


def _json(value: Any, *, status: int = 200) -> web.Response:
    return web.json_response(value, status=status, dumps=lambda it: json.dumps(it, ensure_ascii=False))


def _refused(value: str, description: str) -> web.Response:
    """A handshake that is refused says why in its body."""
    return _json({"action_value": value, "error_description": description}, status=int(value))


async def serve(options: Options, *, host: str, port: int, tell: Told) -> None:
    """Run until cancelled; `tell` gets the address once it listens. Raises: OSError (the port is taken)."""
    await serve_app(Traffilog(options).app(), host=host, port=port, tell=tell)


class InThread(AppInThread):
    """The simulator in a thread of its own, for the demo and for tests."""

    def __init__(self, options: Options | None = None, *, port: int = 0) -> None:
        super().__init__(lambda: Traffilog(options).app(), name="traffilog", port=port)

    @property
    def ws_url(self) -> str:
        return "ws" + self.url.removeprefix("http")
