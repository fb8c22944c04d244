"""GET /metrics: open to a loopback peer without forwarding headers, else for a `read` key."""

from __future__ import annotations

from typing import Any

from litestar.exceptions import MethodNotAllowedException

from atalaia.access.authenticator import Authenticator
from atalaia.core.permissions import Permission
from atalaia.metrics.own import PAGE_TYPE
from atalaia.metrics.service.metrics import MetricsService
from atalaia.sdk.contribution import HotRoute
from atalaia.web.addresses import is_loopback
from atalaia.web.answers import send_bytes

PATH = "/metrics"
# Any of them says that somebody else stands behind the loopback peer: a proxy on this machine.
_FORWARDING = frozenset(
    {b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto", b"x-real-ip", b"via"}
)


class MetricsPage:
    def __init__(self, metrics: MetricsService, authenticator: Authenticator) -> None:
        self._metrics = metrics
        self._authenticator = authenticator

    def route(self) -> HotRoute:
        return HotRoute(PATH, self, Permission.METRICS_READ, DOCUMENT, is_counted=False)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ARG002 - an ASGI handler's form
        if scope["method"] not in {"GET", "HEAD"}:
            raise MethodNotAllowedException
        if not _is_local(scope):
            await self._authenticator.require_key(scope, Permission.METRICS_READ)
        await send_bytes(send, 200, self._metrics.own.page(), ((b"content-type", PAGE_TYPE),))


def _is_local(scope: Any) -> bool:
    peer = scope["client"][0] if scope.get("client") else ""
    return is_loopback(peer) and not any(name in _FORWARDING for name, _ in scope["headers"])


DOCUMENT: dict[str, Any] = {
    PATH: {
        "get": {
            "summary": "The hub's own metrics, as text exposition",
            "operationId": "ScrapeMetrics",
            "tags": ["Metrics"],
            "responses": {
                "200": {
                    "description": "Text exposition 0.0.4",
                    "content": {"text/plain": {"schema": {"type": "string"}}},
                },
                "401": {"description": "From elsewhere than this machine it takes a key"},
                "403": {"description": "The key lacks the permission"},
            },
        }
    }
}
