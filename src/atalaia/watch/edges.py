"""What api and pages share of reading a request."""

from typing import Any

from litestar import Request
from litestar.di import NamedDependency

from atalaia.core.errors import InvalidField
from atalaia.core.translations import N_
from atalaia.watch.model.values import Check
from atalaia.watch.service.watch import Actor, WatchService
from atalaia.web.pages import Pages

AnyRequest = Request[Any, Any, Any]
Watch = NamedDependency[WatchService]
ThePages = NamedDependency[Pages]


def actor_of(request: AnyRequest) -> Actor:
    return Actor(request.scope["state"]["principal"], request.scope["state"].get("client"))


def label_of(text: str | None) -> tuple[str, str] | None:
    if not text:
        return None
    name, is_there, value = text.partition("=")
    if not is_there:
        raise InvalidField("label", N_("A label is name=value."))
    return name, value


def ping_url(public_url: str, check: Check) -> str | None:
    return f"{public_url}/ping/{check.ping_id}" if check.ping_id else None
