"""A simulator on a port, in this process's loop or in a thread of its own."""

import asyncio
import threading
from collections.abc import Callable

from aiohttp import web

Told = Callable[[str], None]


async def serve_app(app: web.Application, *, host: str, port: int, tell: Told, drops_left: bool = False) -> None:
    """Run until cancelled; `tell` gets the address once it listens. `drops_left`: who hangs up is not waited for any longer.

    Raises: OSError (the port is taken).
    """
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1, handler_cancellation=drops_left)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        bound = runner.addresses[0]
        tell(f"http://{bound[0]}:{bound[1]}")
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


class AppInThread:
    """A simulator in a thread of its own, for the demo and for tests."""

    def __init__(
        self, make_app: Callable[[], web.Application], *, name: str, port: int = 0, drops_left: bool = False
    ) -> None:
        self.url = ""
        self._make_app = make_app
        self._drops_left = drops_left
        self._port = port
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._task: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Raises: RuntimeError (it can't listen)."""
        self._thread.start()
        self._ready.wait()
        if not self.url:
            raise RuntimeError(f"the simulator can't listen on port {self._port}")

    def close(self) -> None:
        if self._task is not None:
            self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join()

    def _run(self) -> None:
        def listening(url: str) -> None:
            self.url = url
            self._ready.set()

        try:
            serving = serve_app(
                self._make_app(), host="127.0.0.1", port=self._port, tell=listening, drops_left=self._drops_left
            )
            self._task = self._loop.create_task(serving)
            self._loop.run_until_complete(self._task)
        except (asyncio.CancelledError, OSError):
            pass
        finally:
            self._ready.set()
            self._loop.close()
