"""What fails for long is told once, and its end once; what we say ourselves comes without a trace."""

import asyncio
from collections.abc import Awaitable, Callable

from structlog.testing import capture_logs

from atalaia.app.supervisor import Supervisor
from atalaia.core.errors import StoreUnavailable
from atalaia.sdk.contribution import Loop

AWAY = StoreUnavailable("the database can't be reached")


def told(*rounds: Exception | None) -> list[dict[str, object]]:
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

    with capture_logs() as logs:
        asyncio.run(main())
    return [dict(entry) for entry in logs]


async def supervised(run: Callable[[], Awaitable[None]], done: asyncio.Event) -> None:
    supervisor = Supervisor([Loop("looking", 0.001, run)], is_leader=lambda: True)
    await supervisor.start()
    async with asyncio.timeout(20):
        await done.wait()
    await supervisor.stop()


def test_a_database_that_is_away_is_told_once_without_a_trace_and_its_return_once() -> None:
    first, second = told(AWAY, AWAY, AWAY, None)
    assert (first["event"], first["code"], "exc_info" in first) == ("loop_failed", "store_unavailable", False)
    assert second["event"] == "loop_recovered"


def test_what_nobody_foresaw_has_its_trace() -> None:
    first, _ = told(KeyError("x"))
    assert isinstance(first["exc_info"], KeyError)
