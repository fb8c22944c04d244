"""What handlers of pages are given."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from litestar import Request
from litestar.di import NamedDependency
from litestar.params import FromPath

from atalaia.access.guards import requires
from atalaia.access.requests import client_of, principal_of
from atalaia.core.errors import AtalaiaError
from atalaia.core.permissions import Permission
from atalaia.signals.service import SignalsService
from atalaia.signals.service.book import Actor
from atalaia.web.pages import Pages

AnyRequest = Request[Any, Any, Any]
ThePages = NamedDependency[Pages]
Signals = NamedDependency[SignalsService]
Name = FromPath[str]
READ = [requires(Permission.SIGNALS_READ)]
WRITE = [requires(Permission.SIGNALS_WRITE)]
# No signal can have this name, so that none stands in the way of these pages.
NEW, ROWS = "/signals/-/new", "/signals/-/rows"


@dataclass(frozen=True, slots=True)
class Around:
    """`commands`: names of the command lines that the settings allow."""

    public_url: str = ""
    commands: Sequence[str] = ()


AroundSignals = NamedDependency[Around]


def actor_of(request: AnyRequest) -> Actor:
    return Actor(principal_of(request), client_of(request))


def href_of(name: str) -> str:
    return f"/signals/{quote(name, safe='')}"


def words_of(error: AtalaiaError, request: AnyRequest, pages: Pages) -> str:
    translate = pages.translator(request).translate
    words = translate(error.message, **error.params)
    return f"{words} {translate(error.hint)}" if error.hint else words
