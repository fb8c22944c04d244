"""GET /health, /health/live, /health/ready: open to all, cheap, and never a secret."""

import time
from collections.abc import Sequence
from typing import Any

from atalaia.core.clock import Clock
from atalaia.core.permissions import Permission
from atalaia.sdk.contribution import AsgiHandler, HealthItem, HotRoute
from atalaia.version import COMMIT, VERSION
from atalaia.web.answers import send_json

_NO_STORE = ((b"cache-control", b"no-store"),)
_OPENAPI_BODY = {"application/json": {"schema": {"type": "object"}}}


class Health:
    def __init__(self, items: Sequence[HealthItem], *, clock: Clock) -> None:
        self._items = items
        self._clock = clock
        self._started = time.monotonic()

    def report(self, *, serving: bool = False) -> tuple[bool, dict[str, Any]]:
        """Whether the hub may be called healthy (`serving`: able to serve), and the body of /health."""
        checks = {item.name: _ask(item) for item in self._items}
        healthy = all(
            checks[item.name] for item in self._items if item.degrades and (item.keeps_from_serving or not serving)
        )
        return healthy, {
            "status": "ok" if healthy else "degraded",
            "timestamp": self._clock.now().isoformat(),
            "uptime": round(time.monotonic() - self._started, 1),
            "version": VERSION,
            "commit": COMMIT,
            "checks": checks,
        }

    def routes(self) -> list[HotRoute]:
        return [
            _route("/health", self._health, "The hub's state: 200, or 503 when degraded", (200, 503)),
            _route("/health/ready", self._ready, "Whether a load balancer may send requests here", (200, 503)),
            _route("/health/live", self._live, "Whether the process answers", (200,)),
        ]

    async def _health(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ARG002 - an ASGI handler's form
        healthy, body = self.report()
        await send_json(send, 200 if healthy else 503, body, _NO_STORE)

    async def _ready(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ARG002 - as above
        is_ready, body = self.report(serving=True)
        await send_json(send, 200 if is_ready else 503, body, _NO_STORE)

    async def _live(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ARG002 - as above
        await send_json(send, 200, {"status": "ok"}, _NO_STORE)


def _ask(item: HealthItem) -> bool:
    try:
        return item.check()
    except Exception:  # noqa: BLE001 - a check that can't be asked is not well
        return False


def _route(path: str, handler: AsgiHandler, summary: str, statuses: tuple[int, ...]) -> HotRoute:
    responses = {str(status): {"description": summary, "content": _OPENAPI_BODY} for status in statuses}
    document = {path: {"get": {"summary": summary, "tags": ["Health"], "responses": responses}}}
    return HotRoute(path, handler, Permission.PUBLIC, document, is_counted=False)
