"""Upstreams as a worker reaches them: itself; tokens and breakers are the hub's, and calls are reported to it."""

from collections.abc import Sequence

from atalaia.core.errors import ConfigError
from atalaia.outbound.upstream import UpstreamClient
from atalaia.sdk.upstreams import Upstream, UpstreamDeclaration
from atalaia.worker.options import WorkerOptions


class WorkerUpstreams:
    def __init__(self, options: WorkerOptions, declarations: Sequence[UpstreamDeclaration]) -> None:
        self._options = options
        self._declared = {declaration.name: declaration for declaration in declarations}
        self._clients: dict[str, UpstreamClient] = {}

    def client(self, name: str) -> Upstream:
        raise ConfigError(f"there is no upstream {name}")

    async def aclose(self) -> None:
        return
