"""The server's HTTP, with an end to its patience: who opens lines and says little on them must not keep them from others.

A head has to be there within HEAD_S of the line's opening, or of its first byte on a line that is kept; a body may take as long as it
comes along. Reading that the hub itself holds back counts for nobody. A request that comes in one piece costs no timer, nor does the
wait for the next one on a line that is kept: one timer of the line looks whether it has been idle for long enough.
"""

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from atalaia.cli.whole_answers import WholeAnswer

HEAD_S: Final = 15.0
BODY_LOOK_S: Final = 20.0
BODY_LEAST_BYTES: Final = 8_000  # in each BODY_LOOK_S; a modem of 1990 manages that
_BODY: Final = b"The request came too slowly."
_ANSWER: Final = (
    b"HTTP/1.1 408 Request Timeout\r\ncontent-type: text/plain; charset=utf-8\r\nconnection: close\r\n"
    b"content-length: %d\r\n\r\n%s" % (len(_BODY), _BODY)
)


class PatientProtocol(HttpToolsProtocol):
    head_s = HEAD_S
    body_look_s = BODY_LOOK_S

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._is_awaited = True  # something is to come before anything can be answered
        self._has_head = False
        self._bytes = 0
        self._timer: asyncio.TimerHandle | None = None
        self._idle_at: float | None = None  # by the loop's clock; None while something is under way
        self._idle_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._rest()
        self._forget_idling()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if not self._is_awaited and (self.cycle is None or self.cycle.response_complete):
            self._is_awaited, self._has_head = True, False  # whatever it is: line ends alone count too
        self._bytes += len(data)
        self._idle_at = None
        super().data_received(data)
        if not self._is_awaited:
            self._rest()
        elif self._timer is None and not self.transport.is_closing():
            self._look_later() if self._has_head else self._await_head()

    def handle_websocket_upgrade(self) -> None:
        self._is_awaited = False
        self._rest()
        self._forget_idling()
        super().handle_websocket_upgrade()

    def on_message_begin(self) -> None:
        self._is_awaited, self._has_head = True, False
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._has_head = True
        self._rest()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._is_awaited = False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """As the server's own, but for a timer that is made with each answer and taken back with each request."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
            return
        self._idle_at = self.loop.time()
        if self._idle_timer is None:
            self._idle_timer = self.loop.call_later(self.timeout_keep_alive, self._look_whether_idle)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        cycle.send = WholeAnswer(cycle).send  # type: ignore[method-assign] # asked for when the application is called
        super()._start_asgi_task(cycle, app)

    def _look_whether_idle(self) -> None:
        self._idle_timer = None
        if self._idle_at is None:  # the next answer's end makes another timer
            return
        left_s = self._idle_at + self.timeout_keep_alive - self.loop.time()
        if left_s <= 0:
            self.timeout_keep_alive_handler()
        else:
            self._idle_timer = self.loop.call_later(left_s, self._look_whether_idle)

    def _forget_idling(self) -> None:
        if self._idle_timer is not None:
            self._idle_timer.cancel()
            self._idle_timer = None

    def _await_head(self) -> None:
        self._timer = self.loop.call_later(self.head_s, self._give_up)

    def _look_later(self) -> None:
        self._timer = self.loop.call_later(self.body_look_s, self._look_at_body, self._bytes)

    def _look_at_body(self, bytes_before: int) -> None:
        is_coming = self._bytes - bytes_before >= BODY_LEAST_BYTES
        if is_coming or self.flow.read_paused:
            self._look_later()
        else:
            self._give_up()

    def _give_up(self) -> None:
        self._timer = None
        if self.transport.is_closing():
            return
        # An answer under way has its own end; a line that never said anything is told nothing.
        if self._bytes and (self.cycle is None or self.cycle.response_complete or not self.cycle.response_started):
            self.transport.write(_ANSWER)
        self.transport.close()

    def _rest(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
