"""What the pages of this slice share about a request."""

from typing import Any

from litestar import Request
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from atalaia.access.guards import requires
from atalaia.core.permissions import Permission
from atalaia.notify.service.notify import NotifyService
from atalaia.web.pages import Pages

AnyRequest = Request[Any, Any, Any]
ThePages = NamedDependency[Pages]
Notify = NamedDependency[NotifyService]
PathText = FromPath[str]
QueryText = FromQuery[str | None]
READ = [requires(Permission.CHANNELS_READ)]
WRITE = [requires(Permission.CHANNELS_WRITE)]


def who(request: AnyRequest) -> tuple[Any, str | None]:
    state = request.scope["state"]
    return state["principal"], state.get("client")


async def form_of(request: AnyRequest) -> dict[str, str]:
    return {name: str(value) for name, value in (await request.form()).items()}
