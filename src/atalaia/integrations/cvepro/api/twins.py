"""The JSON API of sessions that are told twice: which of them are two all the same."""

from typing import Any, Final

from atalaia.core.permissions import Permission
from atalaia.integrations.cvepro.service.twins import Twins
from atalaia.sdk.integration import Reply, Request, Route

_APART: Final = "/api/cvepro/sessions/{id}/apart"


class TwinRoutes:
    def __init__(self, twins: Twins) -> None:
        self._twins = twins

    def routes(self) -> tuple[Route, ...]:
        return (
            Route("PUT", _APART, Permission.DASHBOARDS_WRITE, self.part, document=_PART),
            Route("DELETE", _APART, Permission.DASHBOARDS_WRITE, self.join, document=_JOIN),
        )

    async def part(self, request: Request) -> Reply:
        await self._twins.part(request.path_params["id"], by=request.principal, client=request.client)
        return Reply(status=204)

    async def join(self, request: Request) -> Reply:
        await self._twins.join(request.path_params["id"], by=request.principal, client=request.client)
        return Reply(status=204)


def _document(summary: str, done: str, not_found: str) -> dict[str, Any]:
    return {"summary": summary, "responses": {"204": {"description": done}, "404": {"description": not_found}}}


_PART: Final = _document(
    "A session that the vendor's cloud and the charger both tell of, as it was found, is two: both count",
    "Both count, and are not joined again",
    "There is no such session, or nobody else tells of it",
)
_JOIN: Final = _document(
    "It is one after all: what was said is taken back, and the two are looked at anew",
    "It is taken back",
    "There is no such session, or nobody said so of it; it is the vendor's that keeps it",
)
