"""The integration's client on the simulator, with ports in memory."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from atalaia.core.clock import SystemClock
from atalaia.core.redaction import Secret
from atalaia.integrations.evolution import integration
from atalaia.integrations.evolution.api import EvolutionApi
from atalaia.outbound.guard import Guard, Trust
from atalaia.outbound.http import HttpClient
from atalaia.outbound.memory import MemoryBreaker, MemoryCalls, MemoryTokens
from atalaia.outbound.upstream import Ports, UpstreamClient
from atalaia.sdk.upstreams import Upstream
from atalaia_simulators.evolution import DEFAULT_INSTANCE, DEFAULT_KEY, InThread
from tests.unit.simulators.evolution.phone import Phone

NUMBER = "5511912345678"


class Ground:
    """api.Ground; lives in one event loop."""

    def __init__(self, url: str, **settings: Any) -> None:
        self.settings = {"base_url": url, "api_key": Secret(DEFAULT_KEY), "instance": DEFAULT_INSTANCE, **settings}
        clock = SystemClock()
        self.http = HttpClient(Guard(allow_private=True))
        ports = Ports(MemoryTokens(None, clock=clock), MemoryBreaker(clock=clock), MemoryCalls())
        self._client = UpstreamClient(
            integration.upstreams[0], http=self.http, ports=ports, clock=clock, trust=lambda: Trust.CONFIGURED
        )

    def setting(self, name: str) -> Any:
        return self.settings[name]

    def upstream(self, name: str, account: str = "default") -> Upstream:
        assert (name, account) == ("evolution", "default")
        return self._client


@contextmanager
def a_phone() -> Iterator[Phone]:
    simulator = InThread()
    simulator.start()
    try:
        yield Phone(simulator.url)
    finally:
        simulator.close()


def drive(url: str, act: Callable[[EvolutionApi], Awaitable[Any]], **settings: Any) -> Any:
    async def main() -> Any:
        ground = Ground(url, **settings)
        try:
            return await act(EvolutionApi(ground))
        finally:
            await ground.http.aclose()

    return asyncio.run(main())
