"""The vendor's cloud on a port, and its own control under `/_sim`."""

import asyncio
import json
import secrets
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from typing import Any, Final

from aiohttp import web

from atalaia_simulators.cvepro import words
from atalaia_simulators.cvepro.faults import Faults
from atalaia_simulators.cvepro.site import LOCAL, Options, Site
from atalaia_simulators.faults import BadFault
from atalaia_simulators.log import Log
from atalaia_simulators.serving import AppInThread, Told, serve_app

_RESIDENTS: Final = 40
_MS: Final = 1000
_BAD_REQUEST: Final = 400
_UNAUTHORIZED: Final = 401


class CvePro:
    def __init__(self, options: Options | None = None) -> None:
        self._options = options or Options()
        self.faults = Faults()
        self.site = Site(self._options, offset_s=lambda: float(self.faults.look("clock_offset_s", 0.0)))
        self.log = Log(self._options.log_limit)
        self._tokens: dict[str, datetime] = {}

    def app(self) -> web.Application:
        app = web.Application()
        app.add_routes(
            [
                web.post("/api/v1/login", self._told(self._login)),
                web.get("/api/v1/chargepoints", self._told(self._listed(self._chargers))),
                web.get("/api/v1/transaction", self._told(self._listed(self._transactions))),
                web.get("/api/v1/tags", self._told(self._listed(self._tags))),
                web.get("/_sim/log", self._show_log),
                web.get("/_sim/faults", self._show_faults),
                web.post("/_sim/faults", self._change_faults),
                web.post("/_sim/transactions", self._put_transactions),
                web.post("/_sim/reset", self._reset),
            ]
        )
        return app

    # -- the vendor's own addresses

    def _told(self, answer: Callable[[web.Request, bytes], web.Response]) -> Any:
        async def handle(request: web.Request) -> web.Response:
            body = await request.read()
            entry = self.log.add(method=request.method, path=request.path, query=request.query_string, status=None)
            delay_ms = self.faults.strike("delay_ms", path=request.path)
            if delay_ms:
                await asyncio.sleep(delay_ms / _MS)
            response = answer(request, body)
            response.headers["Date"] = format_datetime(self.site.now(), usegmt=True)
            entry["status"] = response.status
            return response

        return handle

    def _login(self, request: web.Request, body: bytes) -> web.Response:
        if status := self.faults.strike("login_status", path=request.path):
            return _bad_gateway(int(status))
        if words_ := self.faults.strike("login_error", path=request.path):
            return _json({"token": None, "expiresAt": None, "error": words_})
        options = self._options
        try:
            given = json.loads(body)
            email, password = given["email"], given["password"]
        except (ValueError, KeyError, TypeError):
            return _json({"error": "E001 - Bad Request"}, status=_BAD_REQUEST)
        wanted = (
            (options.email, email),
            (options.password, password),
            (options.api_key, request.headers.get("Api-Key")),
        )
        if any(expected is not None and expected != found for expected, found in wanted):
            return _json({"error": "E401 - Invalid credentials"}, status=_UNAUTHORIZED)
        return _json(self._shaped(self._new_token()))

    def _new_token(self) -> dict[str, Any]:
        token = secrets.token_urlsafe(32)
        life_s = float(self.faults.look("token_life_s", self._options.token_life_s))
        self._tokens[token] = datetime.now(UTC) + timedelta(seconds=life_s)
        expires_at = words.iso(self.site.now() + timedelta(seconds=life_s))
        return {"token": token, "expiresAt": expires_at, "error": None}

    def _listed(self, answer: Callable[[web.Request], dict[str, Any]]) -> Callable[[web.Request, bytes], web.Response]:
        def handle(request: web.Request, _body: bytes) -> web.Response:
            path = request.path
            if status := self.faults.strike("list_status", path=path):
                return _bad_gateway(int(status))
            expires_at = self._tokens.get(request.headers.get("Authorization", ""))
            if expires_at is None or expires_at <= datetime.now(UTC):
                return _json({"error": "E402 - Unauthorized"}, status=_UNAUTHORIZED)
            if words_ := self.faults.strike("list_error", path=path):
                return _json({"error": words_})
            if self.faults.strike("not_json", path=path):
                return web.Response(text="<html>login</html>", content_type="text/html")
            return _json(self._shaped(answer(request), path=path))

        return handle

    def _shaped(self, value: dict[str, Any], path: str = "") -> Any:
        look = self.faults.look
        return words.changed(
            value,
            rename=look("rename", {}, path=path),
            drop=look("drop", (), path=path),
            null=look("null", (), path=path),
            retype=look("retype", (), path=path),
        )

    # -- its lists

    def _chargers(self, request: web.Request) -> dict[str, Any]:
        active = self.site.active()
        silent, faulted = self.faults.look("silent", ()), self.faults.look("faulted", ())
        items = [
            words.charger_item(
                self.site,
                charger,
                active.get(charger.box_id),
                is_silent=charger.box_id in silent,
                is_faulted=charger.box_id in faulted,
            )
            for charger in self.site.chargers()
        ]
        items = self._perhaps_empty(items, request)
        return {"error": None, "chargePointList": items, "count": len(items)}

    def _transactions(self, request: web.Request) -> dict[str, Any]:
        first, last = _day(request.query.get("fromDate")), _day(request.query.get("toDate"))
        now, late_s = self.site.now(), float(self.faults.look("late_s", 0.0))
        items = [
            words.transaction_item(session, now)
            for session in self.site.between(first, last)
            if (now - session.start).total_seconds() >= late_s
        ]
        items = [item for item in items if item["id"] not in self.site.extra]
        items += [item for item in self.site.extra.values() if first <= _day_of(item) <= last]
        if self.faults.strike("duplicate", path=request.path):
            items = [each for item in items for each in (item, item)]
        items = self._perhaps_empty(items, request)
        return {"error": None, "list": items, "count": len(items)}

    def _tags(self, request: web.Request) -> dict[str, Any]:
        items = self._perhaps_empty([words.tag_item(n) for n in range(1, _RESIDENTS + 1)], request)
        return {"error": None, "list": items, "count": len(items)}

    def _perhaps_empty(self, items: list[Any], request: web.Request) -> list[Any]:
        return [] if self.faults.strike("empty", path=request.path) else items

    # -- its control

    async def _show_log(self, _request: web.Request) -> web.Response:
        return _json(list(self.log.entries))

    async def _show_faults(self, _request: web.Request) -> web.Response:
        return _json({"on": self.faults.shown(), "known": self.faults.known()})

    async def _change_faults(self, request: web.Request) -> web.Response:
        try:
            wanted = json.loads(await request.read())
            self.faults.change(wanted)
        except (ValueError, BadFault) as error:
            return _json({"error": str(error)}, status=_BAD_REQUEST)
        if self.faults.strike("expire_token"):
            self._tokens.clear()
            self.faults.change({"expire_token": None})
        return _json(self.faults.shown())

    async def _put_transactions(self, request: web.Request) -> web.Response:
        """One, or a list, as the vendor says them; a transaction of the day can be changed by its `id`."""
        try:
            given = json.loads(await request.read())
            rows = given if isinstance(given, list) else [given]
            found = {row["id"]: row for row in rows}
        except (ValueError, KeyError, TypeError) as error:
            return _json({"error": f"transactions have an id: {error}"}, status=_BAD_REQUEST)
        self.site.extra.update(found)
        return _json({"kept": len(found)})

    async def _reset(self, _request: web.Request) -> web.Response:
        self.faults.change({})
        self.site.extra.clear()
        self.log.clear()
        return _json({})


def _day(text: str | None) -> date:
    """The time of day is ignored, as the vendor does."""
    try:
        return date.fromisoformat((text or "")[:10])
    except ValueError:
        return datetime.now(LOCAL).date()


def _day_of(item: dict[str, Any]) -> date:
    try:
        return datetime.strptime(item["startTimestamp"][:10], "%d/%m/%Y").replace(tzinfo=LOCAL).date()
    except (KeyError, TypeError, ValueError):
        return datetime.now(LOCAL).date()


def _json(value: Any, *, status: int = 200) -> web.Response:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return web.Response(text=text, status=status, content_type="application/json")


def _bad_gateway(status: int) -> web.Response:
    return web.Response(text="<html><h1>nginx</h1></html>", status=status, content_type="text/html")


async def serve(options: Options, *, host: str, port: int, tell: Told) -> None:
    """Run until cancelled; `tell` gets the address once it listens. Raises: OSError (the port is taken)."""
    await serve_app(CvePro(options).app(), host=host, port=port, tell=tell)


class InThread(AppInThread):
    """The simulator in a thread of its own, for the demo and for tests."""

    def __init__(self, options: Options | None = None, *, port: int = 0) -> None:
        super().__init__(lambda: CvePro(options).app(), name="cvepro", port=port)
