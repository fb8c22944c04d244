"""What fails for long is told once, and its end once; what we say ourselves comes without a trace."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
import structlog
from structlog.testing import LogCapture

from atalaia.app import supervisor as supervisor_module
from atalaia.app.supervisor import Supervisor
from atalaia.core.errors import StoreUnavailable
from atalaia.sdk.contribution import Loop

AWAY = StoreUnavailable("the database can't be reached")


@pytest.fixture
def logs(monkeypatch: pytest.MonkeyPatch) -> LogCapture:
    """Of a logger of its own: another test may have set how much is logged."""
    capture = LogCapture()
    logger = structlog.wrap_logger(None, processors=[capture], wrapper_class=structlog.BoundLogger)
    monkeypatch.setattr(supervisor_module, "log", logger)
    return capture


def run_through(*rounds: Exception | None) -> None:
    async def main() -> None:
        left, done = list(rounds), asyncio.Event()

        async def run() -> None:
            if not left:
                done.set()
                return
            failure = left.pop(0)
            if failure:
                raise failure

        await supervised(run, done)

    asyncio.run(main())


async def supervised(run: Callable[[], Awaitable[None]], done: asyncio.Event) -> None:
    supervisor = Supervisor([Loop("looking", 0.001, run)], is_leader=lambda: True)
    await supervisor.start()
    async with asyncio.timeout(20):
        await done.wait()
    await supervisor.stop()


def test_a_database_that_is_away_is_told_once_without_a_trace_and_its_return_once(logs: LogCapture) -> None:
    run_through(AWAY, AWAY, AWAY, None)
    first, second = logs.entries
    assert (first["event"], first["code"], "exc_info" in first) == ("loop_failed", "store_unavailable", False)
    assert second["event"] == "loop_recovered"


def test_what_nobody_foresaw_has_its_trace(logs: LogCapture) -> None:
    run_through(KeyError("x"))
    first, _ = logs.entries
    assert isinstance(first["exc_info"], KeyError)
