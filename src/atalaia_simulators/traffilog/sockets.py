"""A WebSocket of the simulator: frames in, answers and pushes out, with the faults that are on."""

import asyncio
import itertools
import struct
from collections.abc import Mapping
from typing import Any

from aiohttp import WSMsgType, web

from atalaia_simulators.log import Log
from atalaia_simulators.traffilog import frames
from atalaia_simulators.traffilog.book import Book, Process
from atalaia_simulators.traffilog.desk import CONFIG_STATUS, Caller, Desk, Outcome
from atalaia_simulators.traffilog.faults import Faults
from atalaia_simulators.traffilog.frames import Refused, Request

EXECUTE = "execute_action_opr"
SESSION_EXPIRED = ("401", "session token expired")
SESSION_REJECTED = ("403", "session is not valid")
_FRAGMENTS = 3
_HELD_S = 0.3  # how long an answer waits for another that may overtake it
_TEXT, _CONTINUATION, _FINAL = 0x1, 0x0, 0x80
_SHORT_LENGTH, _TWO_BYTES = 126, 1 << 16


class Cut(Exception):
    """The socket ends here, without a word."""


class Socket:
    """One connection. `turns` are the simulator's own, so that all places of an answer's parts come up."""

    def __init__(
        self, request: web.Request, token: str, *, desk: Desk, book: Book, faults: Faults, log: Log, number: int
    ) -> None:
        self.caller = Caller(token)
        self._request = request
        self._socket = web.WebSocketResponse(autoping=True, max_msg_size=1 << 20)
        self._desk, self._book, self._faults, self._log = desk, book, faults, log
        self._number = number
        self._turns = itertools.count()
        self._errors = itertools.count()
        self._received = 0
        self._is_percent = False
        self._held: list[str] = []
        self._used_mtkns: set[str] = set()
        self._followed: set[int] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> web.WebSocketResponse:
        await self._socket.prepare(self._request)
        try:
            async for message in self._socket:
                if message.type in {WSMsgType.TEXT, WSMsgType.BINARY}:
                    await self._receive(
                        message.data if isinstance(message.data, str) else message.data.decode(errors="replace")
                    )
        except Cut:
            self.cut()
        except ConnectionError:
            pass  # the other side went away while it was being told something
        finally:
            self._desk.leave(self.caller)
            for task in self._tasks:
                task.cancel()
        return self._socket

    def cut(self) -> None:
        if self._request.transport is not None:
            self._request.transport.abort()

    async def _receive(self, raw: str) -> None:
        self._received += 1
        request = frames.read(raw.strip("\0"))
        self._log.add(kind="frame", raw=raw, socket=self._number, action=request.name)
        self._is_percent = request.is_percent
        if request.name == EXECUTE and self._faults.strike("cut_before_execute"):
            raise Cut
        try:
            outcome = self._work(request)
        except Refused as refusal:
            await self._answer(request, self._error(request, refusal), is_error=True)
        else:
            if outcome.executed is not None and self._faults.strike("cut_after_execute"):
                raise Cut
            await self._answer(request, self._done(request, outcome))
            self._go_on(request, outcome)
        if self._received == self._faults.look("cut_after_frame"):
            self._faults.strike("cut_after_frame")
            raise Cut

    def _work(self, request: Request) -> Outcome:
        """Raises: Refused."""
        if request.fault is not None:
            raise Refused(*request.fault)
        if request.session_token != self.caller.token or not self._book.knows(request.session_token):
            raise Refused(*SESSION_EXPIRED)
        if self._faults.strike_at("session_rejected", request.name):
            raise Refused(*SESSION_REJECTED)
        mtkn = request.mtkn or ""
        if mtkn in self._used_mtkns or self._faults.strike_at("wrong_type_403", request.name):
            raise Refused(*frames.FORBIDDEN)
        self._used_mtkns.add(mtkn)
        return self._desk.serve(self.caller, request)

    def _done(self, request: Request, outcome: Outcome) -> str:
        return frames.answers(
            request,
            self._turns,
            value=outcome.value,
            description=outcome.description,
            data=outcome.data,
            **outcome.top,
        )

    def _error(self, request: Request, refusal: Refused) -> str:
        """Now and then an error comes raw, without mtkn: here each second "action forbidden"."""
        is_raw = self._faults.strike_at("raw_error_without_mtkn", request.name) or (
            (refusal.value, refusal.description) == frames.FORBIDDEN and next(self._errors) % 2 == 1
        )
        if is_raw or request.mtkn is None:
            return frames.raw_error(refusal.value, refusal.description)
        return frames.answers(request, self._turns, value=refusal.value, description=refusal.description)

    async def _answer(self, request: Request, text: str, *, is_error: bool = False) -> None:
        action = request.name
        if not is_error and action in self._faults.look("mute", ()):
            return
        delay_s = (self._faults.strike_at("answer_delay_ms", action) or 0) / 1000
        delay_s += self._faults.strike_at("answer_late", action) or 0
        if delay_s:
            self._start(self._send_later(text, delay_s))
        elif self._faults.strike("reorder_answers"):
            self._held.append(text)
            await self._overtake()
        else:
            await self._send_answer(text)

    async def _overtake(self) -> None:
        if len(self._held) == 1:
            self._start(self._release(self._held[0]))
            return
        held, self._held = self._held, []
        for text in reversed(held):
            await self._send_answer(text)

    async def _release(self, text: str) -> None:
        """Nothing came that could overtake it."""
        await asyncio.sleep(_HELD_S)
        if text in self._held:
            self._held.remove(text)
            await self._send_answer(text)

    async def _send_later(self, text: str, delay_s: float) -> None:
        await asyncio.sleep(delay_s)
        await self._send_answer(text)

    async def _send_answer(self, text: str) -> None:
        if self._faults.strike("interleave_foreign_frames"):
            for other in frames.foreign(self._received):
                await self._send(other)
        await self._send(text)

    def _go_on(self, request: Request, outcome: Outcome) -> None:
        """What comes by itself after an answer: pushes of what was subscribed to."""
        if request.name == "vehicle_subscribe":
            vehicle_id = request.parameters["vehicle_id"]
            if request.parameters["object_type"] != CONFIG_STATUS:
                self._start(self._send(frames.push("UNIT_MESSAGES", {"vehicle_id": vehicle_id, "message": "position"})))
                return
            process = self._desk.running(self.caller, vehicle_id)
        else:
            process = outcome.executed
        if process is not None and self.caller.token in process.watchers and process.process_id not in self._followed:
            self._followed.add(process.process_id)
            self._start(self._follow(process))

    async def _follow(self, process: Process) -> None:
        """Push where a process stands until it is over."""
        while not process.is_silent:
            await asyncio.sleep(process.interval_s)
            item: Mapping[str, Any] = process.shown(self._book.now())
            if self._faults.look("empty_progress"):
                item = {**item, "progress": ""}
            await self._send(frames.push(CONFIG_STATUS, item))
            if item["status"] != "In Progress":
                return

    def _start(self, coroutine: Any) -> None:
        task = asyncio.get_running_loop().create_task(self._quietly(coroutine))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _quietly(self, coroutine: Any) -> None:
        try:
            await coroutine
        except ConnectionError:
            return  # the socket was closed meanwhile

    async def _send(self, text: str) -> None:
        is_percent = self._is_percent or bool(self._faults.look("percent_encode"))
        wire = frames.encode(text, is_percent=is_percent, padding=int(self._faults.look("nul_padding", 0)))
        transport = self._request.transport
        if not self._faults.look("fragment") or transport is None:
            await self._socket.send_str(wire)
            return
        for part in fragments(wire.encode()):
            transport.write(part)


def fragments(payload: bytes) -> list[bytes]:
    """A text message as unmasked frames, all but the last unfinished. Source: RFC 6455 5.4."""
    size = max(1, -(-len(payload) // _FRAGMENTS))
    pieces = [payload[at : at + size] for at in range(0, len(payload), size)] or [b""]
    parts = []
    for number, piece in enumerate(pieces):
        first = (_TEXT if number == 0 else _CONTINUATION) | (_FINAL if number == len(pieces) - 1 else 0)
        parts.append(bytes([first]) + _length(len(piece)) + piece)
    return parts


def _length(size: int) -> bytes:
    if size < _SHORT_LENGTH:
        return bytes([size])
    return struct.pack("!BH", 126, size) if size < _TWO_BYTES else struct.pack("!BQ", 127, size)
