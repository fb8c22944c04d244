"""POST /api/v1/import/prometheus: text exposition, perhaps gzip, perhaps with ms timestamps."""

from __future__ import annotations

from typing import Any

from litestar.exceptions import MethodNotAllowedException

from atalaia.access.authenticator import Authenticator
from atalaia.core.permissions import Permission
from atalaia.metrics.errors import NothingAccepted
from atalaia.metrics.service.ingest import Imported
from atalaia.metrics.service.metrics import MetricsService
from atalaia.sdk.contribution import HotRoute
from atalaia.web.answers import send_json, send_nothing
from atalaia.web.bodies import check_media, read_body

PATH = "/api/v1/import/prometheus"
MAX_BYTES = 8 * 1024 * 1024
MAX_UNPACKED_BYTES = 32 * 1024 * 1024
MAX_REPORTED = 1_000
_REASONS_TOLD = 5


class ImportRoute:
    def __init__(self, metrics: MetricsService, authenticator: Authenticator) -> None:
        self._metrics = metrics
        self._authenticator = authenticator

    def route(self) -> HotRoute:
        return HotRoute(PATH, self, Permission.METRICS_WRITE, DOCUMENT)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["method"] != "POST":
            raise MethodNotAllowedException
        principal = await self._authenticator.require_key(scope, Permission.METRICS_WRITE)
        check_media(scope, "text/plain", "application/openmetrics-text", "application/octet-stream")
        with self._metrics.expected():
            body = await read_body(scope, receive, limit=MAX_BYTES, unpacked_limit=MAX_UNPACKED_BYTES)
        done = await self._metrics.import_body(body, sender=principal.id)
        if not done.rejected:
            await send_nothing(send)
            return
        if not done.accepted:
            raise _nothing_accepted(done)
        rejected = done.rejected[:MAX_REPORTED]
        answer = {"accepted": done.accepted, "rejected": rejected, "rejected_total": len(done.rejected)}
        await send_json(send, 200, answer)


def _nothing_accepted(done: Imported) -> NothingAccepted:
    told = "; ".join(f"line {bad.line}: {bad.why}" for bad in done.rejected[:_REASONS_TOLD])
    return NothingAccepted("not one line could be taken: {reasons}", reasons=told)


_REJECTED = {
    "type": "object",
    "required": ["line", "why"],
    "properties": {"line": {"type": "integer"}, "why": {"type": "string"}},
}
_PARTLY = {
    "type": "object",
    "required": ["accepted", "rejected", "rejected_total"],
    "properties": {
        "accepted": {"type": "integer"},
        "rejected": {"type": "array", "items": _REJECTED, "maxItems": MAX_REPORTED},
        "rejected_total": {"type": "integer"},
    },
}
DOCUMENT: dict[str, Any] = {
    PATH: {
        "post": {
            "summary": "Samples as text exposition, with timestamps in milliseconds where they have any",
            "operationId": "ImportSamples",
            "tags": ["Metrics"],
            "requestBody": {"required": True, "content": {"text/plain": {"schema": {"type": "string"}}}},
            "responses": {
                "204": {"description": "All lines were taken"},
                "200": {
                    "description": "Some lines were taken; the others are named",
                    "content": {"application/json": {"schema": _PARTLY}},
                },
            },
        }
    }
}
