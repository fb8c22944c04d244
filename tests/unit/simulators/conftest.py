"""The simulated fleet platform on a free port, and a raw client of it in the same loop."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from atalaia_simulators.traffilog import InThread, Options
from tests.unit.simulators.fleet import Fleet

Run = Callable[[Callable[[Fleet], Awaitable[Any]]], Any]
QUICK_S = 0.02


@pytest.fixture
def options() -> Options:
    return Options(progress_step=25, progress_interval_s=QUICK_S)


@pytest.fixture
def simulator(options: Options) -> Iterator[InThread]:
    running = InThread(options)
    running.start()
    yield running
    running.close()


@pytest.fixture
def run(simulator: InThread) -> Run:
    """Runs a coroutine with a client of the simulator."""
    return lambda act: drive(simulator, act)


def drive(simulator: InThread, act: Callable[[Fleet], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        async with aiohttp.ClientSession() as session:
            return await act(Fleet(session, simulator.url))

    return asyncio.run(main())


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "traffilog.jsonl"
