"""The vendor's cloud on a port: who logs in, and what lists are told to whom."""

import asyncio
import json
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http import HTTPStatus
from typing import Any, Final

from aiohttp import web

from atalaia_simulators.cvepro import words
from atalaia_simulators.cvepro.answers import from_a_proxy, plain
from atalaia_simulators.cvepro.control import Control
from atalaia_simulators.cvepro.faults import Faults
from atalaia_simulators.cvepro.lists import Lists
from atalaia_simulators.cvepro.live import Doorbell
from atalaia_simulators.cvepro.shapes import changed
from atalaia_simulators.cvepro.site import Options, Site
from atalaia_simulators.log import Log
from atalaia_simulators.serving import AppInThread, Told, serve_app

_MS: Final = 1000
_HANG_LOOK_S: Final = 0.05


class CvePro:
    def __init__(self, options: Options | None = None) -> None:
        self._options = options or Options()
        self.faults = Faults()
        self.site = Site(self._options, offset_s=lambda: float(self.faults.look("clock_offset_s", 0.0)))
        self.log = Log(self._options.log_limit)
        self._tokens: dict[str, datetime] = {}

    def app(self) -> web.Application:
        """Raises: BadHistory."""
        lists = Lists(self.site, self.faults)
        doorbell = Doorbell(self.site, self.faults, is_known=self._is_known)
        control = Control(
            self.site,
            self.faults,
            log=self.log,
            lists=lists,
            doorbell=doorbell,
            forget_tokens=self._tokens.clear,
        )
        app = web.Application()
        app.add_routes(
            [
                web.post("/api/v1/login", self._told(self._login)),
                web.get("/api/v1/chargepoints", self._told(self._listed(lists.chargers))),
                web.get("/api/v1/transaction", self._told(self._listed(lists.transactions))),
                web.get("/api/v1/transaction/active", self._told(self._listed(lists.active))),
                web.get("/api/v1/tags", self._told(self._listed(lists.tags))),
                web.get("/api/v1/live", doorbell.serve),
                *control.routes(),
            ]
        )
        app.cleanup_ctx.append(doorbell.run)
        app.on_shutdown.append(doorbell.close)
        return app

    def _told(self, answer: Callable[[web.Request, bytes], web.Response]) -> Any:
        async def handle(request: web.Request) -> web.Response:
            body = await request.read()
            entry = self.log.add(method=request.method, path=request.path, query=request.query_string, status=None)
            if self.faults.strike("hang", path=request.path):
                await self._until_answered(request.path)
            delay_ms = self.faults.strike("delay_ms", path=request.path)
            if delay_ms:
                await asyncio.sleep(delay_ms / _MS)
            response = answer(request, body)
            response.headers["Date"] = format_datetime(self.site.now(), usegmt=True)
            entry["status"] = response.status
            return response

        return handle

    async def _until_answered(self, path: str) -> None:
        while self.faults.look("hang", path=path):  # noqa: ASYNC110 - faults are plain values, cleared by whoever
            await asyncio.sleep(_HANG_LOOK_S)

    def _login(self, request: web.Request, body: bytes) -> web.Response:
        if status := self.faults.strike("login_status", path=request.path):
            return from_a_proxy(int(status))
        if words_ := self.faults.strike("login_error", path=request.path):
            return plain({"token": None, "expiresAt": None, "error": words_})
        options = self._options
        try:
            given = json.loads(body)
            email, password = given["email"], given["password"]
        except (ValueError, KeyError, TypeError):
            return plain({"error": "E001 - Bad Request"}, status=HTTPStatus.BAD_REQUEST)
        wanted = (
            (options.email, email),
            (options.password, password),
            (options.api_key, request.headers.get("Api-Key")),
        )
        if any(expected is not None and expected != found for expected, found in wanted):
            return plain({"error": "E401 - Invalid credentials"}, status=HTTPStatus.UNAUTHORIZED)
        return plain(self._shaped(self._new_token()))

    def _new_token(self) -> dict[str, Any]:
        token = secrets.token_urlsafe(32)
        life_s = float(self.faults.look("token_life_s", self._options.token_life_s))
        self._tokens[token] = datetime.now(UTC) + timedelta(seconds=life_s)
        expires_at = words.iso(self.site.now() + timedelta(seconds=life_s))
        return {"token": token, "expiresAt": expires_at, "error": None}

    def _is_known(self, token: str) -> bool:
        expires_at = self._tokens.get(token)
        return expires_at is not None and expires_at > datetime.now(UTC)

    def _listed(self, answer: Callable[[web.Request], dict[str, Any]]) -> Callable[[web.Request, bytes], web.Response]:
        def handle(request: web.Request, _body: bytes) -> web.Response:
            path = request.path
            if status := self.faults.strike("list_status", path=path):
                return from_a_proxy(int(status))
            if not self._is_known(request.headers.get("Authorization", "")):
                return plain({"error": "E402 - Unauthorized"}, status=HTTPStatus.UNAUTHORIZED)
            if words_ := self.faults.strike("list_error", path=path):
                return plain({"error": words_})
            if self.faults.strike("not_json", path=path):
                return web.Response(text="<html>login</html>", content_type="text/html")
            return plain(self._shaped(answer(request), path=path))

        return handle

    def _shaped(self, value: dict[str, Any], path: str = "") -> Any:
        look = self.faults.look
        return changed(
            value,
            rename=look("rename", {}, path=path),
            drop=look("drop", (), path=path),
            null=look("null", (), path=path),
            retype=look("retype", (), path=path),
        )


async def serve(options: Options, *, host: str, port: int, tell: Told) -> None:
    """Run until cancelled; `tell` gets the address once it listens. Raises: OSError (the port is taken)."""
    await serve_app(CvePro(options).app(), host=host, port=port, tell=tell, drops_left=True)


class InThread(AppInThread):
    """The simulator in a thread of its own, for the demo and for tests."""

    def __init__(self, options: Options | None = None, *, port: int = 0) -> None:
        super().__init__(lambda: CvePro(options).app(), name="cvepro", port=port, drops_left=True)
