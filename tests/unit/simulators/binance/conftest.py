"""The simulated exchange on a free port, and a trader who has its default account."""

from collections.abc import Iterator

import pytest

from atalaia_simulators.binance import InThread, Options
from tests.unit.simulators.binance.trader import Trader


@pytest.fixture
def options() -> Options:
    return Options()


@pytest.fixture
def exchange(options: Options) -> Iterator[InThread]:
    running = InThread(options)
    running.start()
    yield running
    running.close()


@pytest.fixture
def trader(exchange: InThread) -> Trader:
    return Trader(exchange.url)
