"""`atalaia simulate` as a process: it says where it is, ends when asked, and traffilog's book is kept through kill −9."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.acceptance.hub import ATALAIA, Process, environment, run_cli
from tests.unit.simulators.binance.trader import Trader
from tests.unit.simulators.fleet import Fleet


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Process]:
    command = [str(ATALAIA), "simulate", "traffilog", "--port", "0", "--state", str(tmp_path / "book")]
    process = Process(command, log=tmp_path / "log", env=environment())
    yield process
    if process.is_running:
        process.kill()


def address(process: Process) -> str:
    """Starts it; where it listens."""
    process.launch()
    return process.await_output(re.compile(r"traffilog simulator: (http\S+)"))[1]


def executed(url: str) -> Any:
    """Executes on a vehicle, and gives the book as it is when that was answered."""

    async def act() -> Any:
        async with aiohttp.ClientSession() as session:
            fleet = Fleet(session, url)
            async with fleet.socket() as talk:
                await talk.execute((await talk.review())["process_id"])
            return await fleet.ask("vehicles")

    return asyncio.run(act())


def book(url: str) -> Any:
    async def act() -> Any:
        async with aiohttp.ClientSession() as session:
            return await Fleet(session, url).ask("vehicles")

    return asyncio.run(act())


def test_what_it_answered_is_in_its_book_after_a_kill(process: Process) -> None:
    before = executed(address(process))
    process.kill()
    after = book(address(process))
    (was,), (now,) = before["45"]["executions"], after["45"]["executions"]
    assert (now["process_id"], now["comment"], now["at"]) == (was["process_id"], was["comment"], was["at"])


def test_it_ends_when_it_is_told_to(process: Process) -> None:
    address(process)
    assert process.stop() == 0


def test_a_port_in_use_is_said(process: Process) -> None:
    port = address(process).rpartition(":")[2]
    done = run_cli("simulate", "traffilog", "--port", port)
    assert done.returncode == 1
    assert "--port" in done.stderr


def test_the_exchange_trades_as_a_process(tmp_path: Path) -> None:
    command = [str(ATALAIA), "simulate", "binance", "--port", "0", "--fills", "2"]
    exchange = Process(command, log=tmp_path / "log", env=environment())
    exchange.launch()
    try:
        trader = Trader(exchange.await_output(re.compile(r"binance simulator: (http\S+)"))[1])
        trader.hold("LONG", "0.5")
        assert trader.close_long("0.5").body["status"] == "FILLED"
        assert len(trader.book()["fills"]) == 2
        assert exchange.stop() == 0
    finally:
        if exchange.is_running:
            exchange.kill()
