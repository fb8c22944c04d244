"""Upstreams as a worker reaches them: itself; tokens and breakers are the hub's, and calls are reported to it."""

from collections.abc import Sequence

from atalaia.core.clock import SystemClock
from atalaia.core.errors import ConfigError
from atalaia.outbound.guard import Guard, Trust
from atalaia.outbound.http import HttpClient
from atalaia.outbound.remote import RemoteHub
from atalaia.outbound.upstream import UpstreamClient
from atalaia.sdk.upstreams import Upstream, UpstreamDeclaration
from atalaia.worker.hub import HubApi


class WorkerUpstreams:
    """One client for each upstream; their addresses are in the settings that the hub gives, so they are trusted."""

    def __init__(self, api: HubApi, declarations: Sequence[UpstreamDeclaration]) -> None:
        self._clock = SystemClock()
        self._hub = RemoteHub(api.http, api.url, headers=api.headers, clock=self._clock)
        self._http = HttpClient(Guard(allow_private=True))
        self._declared = {declaration.name: declaration for declaration in declarations}
        self._clients: dict[str, UpstreamClient] = {}

    def client(self, name: str) -> Upstream:
        """Raises: ConfigError: no integration here declares it."""
        if name not in self._declared:
            raise ConfigError(f"there is no upstream {name}")
        if name not in self._clients:
            declaration = self._declared[name]
            self._clients[name] = UpstreamClient(
                declaration,
                http=self._http,
                ports=self._hub.ports(declaration),
                clock=self._clock,
                trust=lambda: Trust.CONFIGURED,
            )
        return self._clients[name]

    async def aclose(self) -> None:
        """What waits to be reported goes first."""
        await self._hub.aclose()
        await self._http.aclose()
