"""What api and pages share of reading a request."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar

from litestar import Request
from litestar.di import NamedDependency

from atalaia.core.errors import InvalidField
from atalaia.core.translations import N_
from atalaia.watch.model.reasons import Reason, shown_reason
from atalaia.watch.model.values import Check
from atalaia.watch.service.watch import Actor, WatchService
from atalaia.web.pages import Pages

AnyRequest = Request[Any, Any, Any]
E = TypeVar("E", bound=StrEnum)
Watch = NamedDependency[WatchService]
ThePages = NamedDependency[Pages]


def actor_of(request: AnyRequest) -> Actor:
    return Actor(request.scope["state"]["principal"], request.scope["state"].get("client"))


def reasons_of(request: AnyRequest, pages: Pages) -> Callable[[str | None], Reason]:
    """For templates: `why(text)`, a kept reason in the reader's language."""
    retell = pages.translator(request).retell
    return lambda text: shown_reason(text, retell)


def label_of(text: str | None) -> tuple[str, str] | None:
    if not text:
        return None
    name, is_there, value = text.partition("=")
    if not is_there:
        raise InvalidField("label", N_("A label is name=value."))
    return name, value


def one_of(kind: type[E], text: str | None, *, field: str) -> E | None:
    """A choice of a query, where the framework has the parameter's name for itself (`state`), and its error would name another.

    Raises:
        InvalidField: none of the choices.
    """
    if not text:
        return None
    try:
        return kind(text)
    except ValueError:
        raise InvalidField(field, N_("Must be one of {names}."), names=", ".join(kind)) from None


def ping_url(public_url: str, check: Check) -> str | None:
    return f"{public_url}/ping/{check.ping_id}" if check.ping_id else None
