"""What a handler may know about who asks."""

from typing import Any

from litestar import Request

from atalaia.access.cookies import CookieNames, cookies_of
from atalaia.access.service.entering import Visitor
from atalaia.core.permissions import Principal

AnyRequest = Request[Any, Any, Any]


def principal_of(request: AnyRequest) -> Principal:
    """Whom the route's guard has let in."""
    principal: Principal = request.scope["state"]["principal"]
    return principal


def client_of(request: AnyRequest) -> str:
    client: str = request.scope["state"].get("client", "-")
    return client


def visitor_of(request: AnyRequest, names: CookieNames) -> Visitor:
    return Visitor(
        address=client_of(request),
        user_agent=request.headers.get("user-agent", ""),
        device_token=cookies_of(request.scope).get(names.device),
    )
