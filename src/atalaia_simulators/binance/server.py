"""The exchange on a port: its REST interface, and its own control under `/_sim`."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from aiohttp import web

from atalaia_simulators.binance.control import Control
from atalaia_simulators.binance.endpoints import ENDPOINTS, ORDER, Endpoint
from atalaia_simulators.binance.errors import Refusal, refused
from atalaia_simulators.binance.exchange import Call, Exchange, Options, about_request
from atalaia_simulators.binance.signing import check_key, check_signature, check_time, read_params
from atalaia_simulators.binance.trading import match_open
from atalaia_simulators.binance.trouble import (
    Later,
    Silence,
    after_order,
    before_order,
    trouble_address,
    trouble_request,
    unknown_outcome,
)
from atalaia_simulators.log import Log
from atalaia_simulators.serving import AppInThread, Told, serve_app

_MS = 1000


class Binance:
    def __init__(self, options: Options | None = None) -> None:
        self._options = options or Options()
        self.exchange = Exchange(self._options)
        self.log = Log(self._options.log_limit)
        self._ending = asyncio.Event()
        self._later: set[asyncio.TimerHandle] = set()

    def app(self) -> web.Application:
        app = web.Application()
        app.add_routes(Control(self.exchange, self.log, forget=self._forget).routes())
        app.router.add_route("*", "/{path:.*}", self._answer)
        app.on_shutdown.append(self._shut)
        return app

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.text()
        asked = _Asked(request, body)
        entry = self.log.add(
            kind="http",
            method=asked.method,
            path=asked.path,
            raw=asked.query + body,
            api_key=asked.api_key,
            status=None,
        )
        try:
            answer = self._perform(asked)
        except Refusal as no:
            answer = _json(no.body, status=no.status, headers=dict(no.headers))
        except Silence as silence:
            return await self._stay_silent(request, silence.seconds)
        entry["status"] = answer.status
        answer.headers.update(self._counts(asked))
        delay_ms = self.exchange.faults.strike("answer_delay_ms", **asked.about)
        if delay_ms:
            await self._rest(delay_ms / _MS)
        return answer

    def _perform(self, asked: "_Asked") -> web.Response:
        """Without an await, so that who hangs up can't leave it half done. Raises: Refusal, Silence."""
        exchange, address = self.exchange, asked.address
        trouble_address(exchange, address, **asked.about)
        exchange.limits.admit(address)
        endpoint = ENDPOINTS.get((asked.method, asked.path))
        if endpoint is None:
            raise refused(-5000, path=asked.path, method=asked.method)
        exchange.limits.charge(address, endpoint.weighs(asked.params))
        if asked.is_doubled:
            raise refused(-1101)
        trouble_request(exchange, is_signed=endpoint.is_signed, **asked.about)
        call = self._checked(asked, endpoint)
        value = self._trade(call) if (asked.method, asked.path) == ORDER else endpoint.handler(exchange, call)
        if exchange.faults.strike("changed_shape", **asked.about):
            value = {"data": {"rows": str(value)[:100]}}
        return _json(value)

    def _checked(self, asked: "_Asked", endpoint: Endpoint) -> Call:
        exchange, now_ms = self.exchange, self.exchange.now_ms()
        if not endpoint.is_signed:
            return Call(asked.method, asked.path, asked.params, now_ms)
        account = check_key(exchange.book.accounts, asked.api_key)
        check_time(asked.params, now_ms)
        check_signature(account, asked.query, asked.body)
        match_open(exchange, account, now_ms=now_ms)
        return Call(asked.method, asked.path, asked.params, now_ms, account)

    def _trade(self, call: Call) -> dict[str, Any]:
        exchange = self.exchange
        exchange.limits.charge_order(call.account.api_key)
        try:
            before_order(exchange, call)
        except Later as later:
            self._do_later(later.seconds, call)
            raise unknown_outcome() from later
        return after_order(exchange, call, ENDPOINTS[ORDER].handler(exchange, call))

    def _do_later(self, seconds: float, call: Call) -> None:
        def act() -> None:
            self._later.discard(handle)
            late = Call(call.method, call.path, call.params, self.exchange.now_ms(), call.owner)
            try:
                check_time(late.params, late.now_ms)  # the window is for what is done, too
                ENDPOINTS[ORDER].handler(self.exchange, late)
            except Refusal:
                return  # nobody is there any more to hear it

        handle = asyncio.get_running_loop().call_later(seconds, act)
        self._later.add(handle)

    def _counts(self, asked: "_Asked") -> dict[str, str]:
        limits = self.exchange.limits
        if asked.path.startswith("/sapi/"):
            return {"X-SAPI-USED-IP-WEIGHT-1M": str(limits.used(asked.address))}
        counts = {"X-MBX-USED-WEIGHT-1M": str(limits.used(asked.address))}
        if asked.api_key and asked.path == ORDER[1]:
            ten_s, minute = limits.order_counts(asked.api_key)
            counts |= {"X-MBX-ORDER-COUNT-10S": str(ten_s), "X-MBX-ORDER-COUNT-1M": str(minute)}
        return counts

    async def _stay_silent(self, request: web.Request, seconds: float) -> web.Response:
        await self._rest(seconds)
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=500)  # into the void

    async def _rest(self, seconds: float) -> None:
        """Until then, or until the simulator ends."""
        try:
            async with asyncio.timeout(seconds):
                await self._ending.wait()
        except TimeoutError:
            return

    def _forget(self) -> None:
        """Everything begins anew."""
        for handle in self._later:
            handle.cancel()
        self._later.clear()
        self.exchange.reset()
        self.log.clear()

    async def _shut(self, _app: web.Application) -> None:
        self._ending.set()
        for handle in self._later:
            handle.cancel()


class _Asked:
    """A request, taken apart once."""

    def __init__(self, request: web.Request, body: str) -> None:
        self.method = request.method
        self.path, _, self.query = request.raw_path.partition("?")
        self.body = body
        self.api_key = request.headers.get("X-MBX-APIKEY")
        # The other host counts for itself.
        self.address = f"{request.remote} (spot)" if self.path.startswith("/sapi/") else f"{request.remote}"
        self.is_doubled = False
        try:
            self.params = read_params(self.query, body)
        except Refusal:
            self.params, self.is_doubled = {}, True
        self.about = about_request(self.method, self.path, self.params, self.api_key)


def _json(value: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return web.Response(text=text, status=status, content_type="application/json", headers=headers)


async def serve(options: Options, *, host: str, port: int, tell: Told) -> None:
    """Run until cancelled; `tell` gets the address once it listens. Raises: OSError (the port is taken)."""
    await serve_app(Binance(options).app(), host=host, port=port, tell=tell, drops_left=True)


class InThread(AppInThread):
    """The simulator in a thread of its own, for the demo and for tests."""

    def __init__(self, options: Options | None = None, *, port: int = 0) -> None:
        super().__init__(_maker(options), name="binance", port=port, drops_left=True)


def _maker(options: Options | None) -> Callable[[], web.Application]:
    return lambda: Binance(options).app()
