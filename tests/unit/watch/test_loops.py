"""When the hub could not hear for a while, nobody is overdue for that alone."""

import asyncio
from typing import cast

import pytest

from atalaia.core.errors import StoreUnavailable
from atalaia.watch.loops import overdue
from atalaia.watch.service.heartbeats import Heartbeats
from tests.fakes import FakeClock


class Listening:
    def __init__(self) -> None:
        self.done: list[str] = []
        self.is_away = False

    async def forgive(self) -> None:
        self.done.append("forgive")
        if self.is_away:
            raise StoreUnavailable("away")

    async def tick(self) -> None:
        if self.is_away:
            raise StoreUnavailable("away")
        self.done.append("tick")


def test_a_start_and_a_database_that_is_back_forgive_once() -> None:
    clock, heard = FakeClock(), Listening()
    run = overdue(cast("Heartbeats", heard), clock)

    async def look() -> None:
        await run()

    asyncio.run(look())
    clock.advance(1)
    asyncio.run(look())
    assert heard.done == ["forgive", "tick", "tick"]
    heard.is_away = True
    for _ in range(12):
        clock.advance(1)
        with pytest.raises(StoreUnavailable):
            asyncio.run(look())
    heard.is_away, heard.done = False, []
    clock.advance(1)
    asyncio.run(look())
    clock.advance(1)
    asyncio.run(look())
    assert heard.done == ["forgive", "tick", "tick"]
