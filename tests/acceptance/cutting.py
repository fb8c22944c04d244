"""A relay that cuts a connection after so many bytes: in the middle of a frame, in either direction."""

import asyncio
import contextlib
import threading
from typing import Self

_CHUNK_BYTES = 4096


class CuttingRelay:
    """Relays to `target` on loopback. `arm(n)`: the n-th byte from now is the last one that passes; then all is cut, once."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._ready = threading.Event()
        self._writers: set[asyncio.StreamWriter] = set()
        self._left: int | None = None
        self.passed_bytes = 0
        self.port = 0

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def arm(self, after_bytes: int | None) -> None:
        self.passed_bytes, self._left = 0, after_bytes

    @property
    def has_cut(self) -> bool:
        return self._left == 0

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._relay, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        self._loop.run_until_complete(self._end())
        self._loop.close()

    async def _end(self) -> None:
        self._cut()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await asyncio.sleep(0.05)  # transports that were aborted close in the turns that follow

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._target)
        self._writers |= {writer, back}
        with contextlib.suppress(OSError):
            await asyncio.gather(self._pass(reader, back), self._pass(there, writer))
        self._writers -= {writer, back}

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(_CHUNK_BYTES):
                allowed = data if self._left is None or self._left == 0 else data[: self._left]
                writer.write(allowed)
                await writer.drain()
                self.passed_bytes += len(allowed)
                if self._left:
                    self._left -= len(allowed)
                    if not self._left:
                        self._cut()
        finally:
            writer.close()

    def _cut(self) -> None:
        for writer in list(self._writers):
            writer.transport.abort()
