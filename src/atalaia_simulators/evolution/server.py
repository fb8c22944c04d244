"""The Evolution API on a port: text messages, the state of the connection, and its own control under `/_sim`."""

import asyncio
import json
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from aiohttp import ClientError, ClientSession, web

from atalaia_simulators.evolution.answers import as_json, failure, failure_of, jid_of, sent, upsert
from atalaia_simulators.evolution.faults import Faults
from atalaia_simulators.faults import BadFault
from atalaia_simulators.log import Log
from atalaia_simulators.serving import AppInThread, Told, serve_app

DEFAULT_KEY: Final = "simulated-key"
DEFAULT_INSTANCE: Final = "atalaia"
_CONTROL: Final = "/_sim"
_MS: Final = 1000
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    api_key: str = DEFAULT_KEY
    instance: str = DEFAULT_INSTANCE


class _Cut(Exception):
    """No answer: the connection ends."""


class Evolution:
    def __init__(self, options: Options | None = None) -> None:
        self._options = options or Options()
        self.faults = Faults()
        self.log = Log()
        self.messages: list[dict[str, Any]] = []
        self._ending = asyncio.Event()

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self._note])
        app.add_routes(
            [
                web.post("/message/sendText/{instance}", self._send_text),
                web.get("/instance/connectionState/{instance}", self._connection_state),
                web.get(f"{_CONTROL}/log", self._show_log),
                web.get(f"{_CONTROL}/messages", self._show_messages),
                web.get(f"{_CONTROL}/faults", self._show_faults),
                web.post(f"{_CONTROL}/faults", self._change_faults),
                web.post(f"{_CONTROL}/answers", self._answer),
                web.post(f"{_CONTROL}/reset", self._reset),
            ]
        )
        app.on_shutdown.append(self._shut)
        return app

    @web.middleware
    async def _note(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Log, refuse and delay everything but control."""
        if request.path.startswith(_CONTROL):
            return await handler(request)
        raw = await request.text()
        entry = self.log.add(
            kind="http",
            method=request.method,
            path=request.path,
            raw=raw,
            apikey=request.headers.get("apikey"),
            status=None,
        )
        about = {"method": request.method, "path": request.path, "number": _number_in(raw)}
        try:
            answer = self._refusal(request, about) or await self._handled(request, handler)
        except _Cut:
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=500)  # into the void
        if self.faults.strike("changed_shape", **about):
            answer = as_json({"data": [str(answer.status)]}, status=answer.status)
        await self._rest((self.faults.strike("delay_ms", **about) or 0) / _MS)
        entry["status"] = answer.status
        return answer

    async def _handled(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPException:  # no such route
            return failure(HTTPStatus.NOT_FOUND, [f"Cannot {request.method} {request.path}"])

    def _refusal(self, request: web.Request, about: dict[str, str]) -> web.Response | None:
        """In its order: is there such an instance, and may you? Both come before anything is done."""
        instance = request.match_info.get("instance", "")
        if (status := self.faults.strike("status", **about)) is not None:
            return failure_of(int(status), instance=instance)
        if instance and instance != self._options.instance:
            return failure_of(HTTPStatus.NOT_FOUND, instance=instance)
        if instance and request.headers.get("apikey") != self._options.api_key:
            return failure_of(HTTPStatus.UNAUTHORIZED, instance=instance)
        return None

    async def _send_text(self, request: web.Request) -> web.StreamResponse:
        try:
            given = json.loads(await request.text())
        except ValueError as error:
            return failure(HTTPStatus.BAD_REQUEST, f"{error}")
        if wrong := _wrong_with(given):
            return failure(HTTPStatus.BAD_REQUEST, [wrong])
        number = given["number"]
        about = {"method": "POST", "path": request.path, "number": number}
        if self._state() != "open":
            return failure(HTTPStatus.BAD_REQUEST, ["Error: Connection Closed"])
        if number in (self.faults.look("not_on_whatsapp") or ()):
            missing = {"jid": jid_of(number), "exists": False, "number": number}
            return failure(HTTPStatus.BAD_REQUEST, [missing])
        return self._go_out(number, given["text"], about)

    def _go_out(self, number: str, text: str, about: dict[str, str]) -> web.Response:
        """Without an await, so that who hangs up can't leave it half done. Raises: _Cut."""
        if self.faults.strike("cut_before_send", **about):
            raise _Cut
        if self.faults.strike("fail_before_send", **about):
            return failure(HTTPStatus.BAD_REQUEST, ["Error: Timed Out"])
        message = {"n": len(self.messages) + 1, "id": secrets.token_hex(11).upper(), "number": number, "text": text}
        self.messages.append({**message, "at": time.time()})
        if self.faults.strike("cut_after_send", **about):
            raise _Cut
        if self.faults.strike("fail_after_send", **about):
            return failure(HTTPStatus.BAD_REQUEST, ["Error: Timed Out"])
        return sent(message)

    async def _connection_state(self, request: web.Request) -> web.StreamResponse:
        return as_json({"instance": {"instanceName": request.match_info["instance"], "state": self._state()}})

    def _state(self) -> str:
        return str(self.faults.look("state", "open"))

    # -- control

    async def _show_log(self, _request: web.Request) -> web.Response:
        return as_json(list(self.log.entries))

    async def _show_messages(self, _request: web.Request) -> web.Response:
        return as_json(self.messages)

    async def _answer(self, request: web.Request) -> web.Response:
        """Somebody writes to the phone: `{number, text, url, headers?, id?}`; what the address says to its being told."""
        try:
            given = json.loads(await request.text())
            number, text, url, headers = given["number"], given["text"], given["url"], given.get("headers", {})
        except (ValueError, KeyError, TypeError, AttributeError):
            return as_json({"error": "number, text and url are needed"}, status=400)
        message_id = str(given.get("id") or secrets.token_hex(11).upper())
        told = upsert(instance=self._options.instance, number=number, text=text, id=message_id)
        try:
            async with ClientSession() as session, session.post(url, json=told, headers=headers) as answer:
                return as_json({"status": answer.status, "body": await answer.text()})
        except ClientError as error:
            return as_json({"error": str(error)}, status=502)

    async def _show_faults(self, _request: web.Request) -> web.Response:
        return as_json({"on": self.faults.shown(), "known": self.faults.known()})

    async def _change_faults(self, request: web.Request) -> web.Response:
        try:
            self.faults.change(json.loads(await request.text() or "{}"))
        except ValueError as error:
            return as_json({"error": f"not JSON: {error}"}, status=400)
        except BadFault as error:
            return as_json({"error": str(error)}, status=400)
        return as_json(self.faults.shown())

    async def _reset(self, _request: web.Request) -> web.Response:
        self.faults.change({})
        self.messages.clear()
        self.log.clear()
        return web.Response(status=204)

    async def _rest(self, seconds: float) -> None:
        """Until then, or until the simulator ends."""
        if not seconds:
            return
        try:
            async with asyncio.timeout(seconds):
                await self._ending.wait()
        except TimeoutError:
            return

    async def _shut(self, _app: web.Application) -> None:
        self._ending.set()


def _wrong_with(given: Any) -> list[str]:
    """As its schema says it."""
    if not isinstance(given, dict):
        return ["instance is not of a type(s) object"]
    wrong = [f'instance requires property "{name}"' for name in ("number", "text") if name not in given]
    wrong += [
        f"instance.{name} is not of a type(s) string"
        for name in ("number", "text")
        if name in given and not isinstance(given[name], str)
    ]
    return wrong or ([] if given["text"] and given["number"] else ["The text and the number can't be empty"])


def _number_in(raw: str) -> str:
    try:
        given = json.loads(raw)
    except ValueError:
        return ""
    return str(given.get("number", "")) if isinstance(given, dict) else ""


async def serve(options: Options, *, host: str, port: int, tell: Told) -> None:
    """Run until cancelled; `tell` gets the address once it listens. Raises: OSError (the port is taken)."""
    await serve_app(Evolution(options).app(), host=host, port=port, tell=tell, drops_left=True)


class InThread(AppInThread):
    """The simulator in a thread of its own, for the demo and for tests."""

    def __init__(self, options: Options | None = None, *, port: int = 0) -> None:
        super().__init__(lambda: Evolution(options).app(), name="evolution", port=port, drops_left=True)
