"""Live events: one stream a browser, with the topics that changed.

What goes out is `data: {"topic": …, "id": …}`; the page fetches the fragment anew. Lossy on purpose: a slow reader gets one
`resync` in place of what it missed.
"""

import asyncio
from typing import Any

import msgspec

from atalaia.core.errors import Overloaded, Unauthenticated
from atalaia.store.live import Live

BEAT_S = 15.0
MAX_STREAMS = 2000
MAX_WAITING = 100


class LiveStreams:
    """All streams of this hub. `start` is called on the event loop that serves them."""

    path = "/events"

    def __init__(self, live: Live) -> None:
        self._live = live
        self._queues: set[asyncio.Queue[bytes | None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._unsubscribe: Any = None

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._unsubscribe = self._live.subscribe(self._from_any_thread)

    def release(self) -> None:
        """End all streams, so that a stopping server need not wait for them."""
        for queue in self._queues:
            _put(queue, None)

    def stop(self) -> None:
        if self._unsubscribe is not None:
            self._unsubscribe()

    @property
    def count(self) -> int:
        return len(self._queues)

    def _from_any_thread(self, topic: str, id: str) -> None:
        if self._queues and self._loop is not None:
            self._loop.call_soon_threadsafe(self._spread, topic, id)

    def _spread(self, topic: str, id: str) -> None:
        line = b"data: " + msgspec.json.encode({"topic": topic, "id": id}) + b"\n\n"
        for queue in self._queues:
            _put(queue, line)

    async def handle(self, scope: Any, receive: Any, send: Any) -> None:
        """The ASGI handler of `path`; for whoever is signed in."""
        if scope["state"].get("principal") is None:
            raise Unauthenticated("sign in first")
        if len(self._queues) >= MAX_STREAMS:
            raise Overloaded("too many live streams", retry_after_s=30)
        queue: asyncio.Queue[bytes | None] = asyncio.Queue(MAX_WAITING)
        self._queues.add(queue)
        gone = asyncio.create_task(_wait_for_end(receive, queue))
        try:
            await _stream(queue, send)
        finally:
            self._queues.discard(queue)
            gone.cancel()


async def _stream(queue: "asyncio.Queue[bytes | None]", send: Any) -> None:
    headers = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-store"), (b"x-accel-buffering", b"no")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"retry: 1000\n\n", "more_body": True})
    while True:
        try:
            line = await asyncio.wait_for(queue.get(), BEAT_S)
        except TimeoutError:
            line = b"event: beat\ndata: {}\n\n"
        if line is None:
            break
        await send({"type": "http.response.body", "body": line, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _wait_for_end(receive: Any, queue: "asyncio.Queue[bytes | None]") -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    _put(queue, None)


def _put(queue: "asyncio.Queue[bytes | None]", line: bytes | None) -> None:
    if not queue.full():
        queue.put_nowait(line)
        return
    while not queue.empty():
        queue.get_nowait()
    queue.put_nowait(None if line is None else b'data: {"topic": "resync", "id": ""}\n\n')
