"""What a slice or an integration gives to the hub; the composition root puts it together."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from atalaia.core.events import Event
from atalaia.core.permissions import Permission, Role
from atalaia.core.settings import Setting
from atalaia.sdk.sockets import SocketRoute
from atalaia.sdk.transaction import Tx

if TYPE_CHECKING:  # a worker has no database: see sdk.transaction
    from sqlalchemy import MetaData

AsgiHandler = Callable[[Any, Any, Any], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Loop:
    """Work that recurs. `run` is called every `period_s` seconds; it is never called twice at once.

    A loop that raises is logged, and called again after its period; `leader_only` runs on one hub of several.
    `wake` (an asyncio.Event made by the slice) calls it sooner.
    """

    name: str
    period_s: float
    run: Callable[[], Awaitable[None]]
    leader_only: bool = True
    wake: Any = None


@dataclass(frozen=True, slots=True)
class HotRoute:
    """A raw ASGI handler that bypasses the framework. `path` ends with `/` for a whole subtree, with `/{name}` for one more part.

    It authenticates by itself, with access's authenticator, and needs `permission`. `document` is its part of
    the OpenAPI description: {path: path item}. `is_counted`: the edge counts and times its requests; not where the slice
    does so itself, nor where a request waits on purpose. `method`: only requests with it; others go to the framework.
    """

    path: str
    handler: AsgiHandler
    permission: Permission
    document: Mapping[str, Any] = field(default_factory=dict)
    is_counted: bool = True
    method: str | None = None


@dataclass(frozen=True, slots=True)
class NavItem:
    """A way in the menu. `group` is a key of web.navigation.GROUPS (overview, watch, incidents, act, connect, serve, admin).

    `roles`: only for people of these; none: for all who have the permission. `is_in_use`: where it is not, nobody begins there;
    quick as a badge.
    """

    group: str
    label: str
    href: str
    permission: Permission
    order: int = 50
    icon: str | None = None  # a name of web/static/icons.svg
    badge: Callable[[], int] | None = None  # asked for every page, so it must be quick and not touch the store
    badge_state: str | None = None
    roles: frozenset[Role] = frozenset()
    is_in_use: Callable[[], bool] | None = None  # of an integration's the host says it


@dataclass(frozen=True, slots=True)
class HealthItem:
    """`check` says whether all is well; `degrades` whether /health answers 503 when it is not.

    `keeps_from_serving`: /health/ready does so too. Not for a third party: a load balancer would take away the hubs that
    still show its last good data.
    """

    name: str
    check: Callable[[], bool]
    degrades: bool = True
    keeps_from_serving: bool = True


@dataclass(frozen=True, slots=True)
class Found:
    """One answer of the search."""

    kind: str  # English, a key of the translations
    title: str
    href: str
    detail: str = ""
    state: str | None = None


@dataclass(frozen=True, slots=True)
class SearchSource:
    """`find(text, limit)` gives the best first; only asked for those who have `permission`."""

    permission: Permission
    find: Callable[[str, int], Awaitable[Sequence[Found]]]


@dataclass(frozen=True, slots=True)
class Contribution:
    """All that a slice gives; each part may be empty.

    At a stop `release` is called first, while requests are still open: it ends those that wait for something. `stop` comes last.
    """

    name: str
    routes: Sequence[Any] = ()  # Litestar controllers, routers and handlers
    documents: Mapping[str, Any] = field(
        default_factory=dict
    )  # OpenAPI path items of routes that don't tell by themselves
    dependencies: Mapping[str, Any] = field(default_factory=dict)  # name -> Litestar Provide
    hot_routes: Sequence[HotRoute] = ()
    sockets: Sequence[SocketRoute] = ()
    file_routes: Sequence[str] = ()  # paths of the API whose body is a file, of whatever content type
    loops: Sequence[Loop] = ()
    handlers: Sequence[tuple[type[Event], Callable[[Tx, Any], None]]] = ()
    metadata: "MetaData | None" = None
    migrations: Path | None = None
    nav: Sequence[NavItem] = ()
    searches: Sequence[SearchSource] = ()
    health: Sequence[HealthItem] = ()
    settings: Sequence[Setting] = ()
    audit_words: Mapping[str, str] = field(default_factory=dict)  # action -> English, a key of the translations
    start: Callable[[], Awaitable[None]] | None = None
    release: Callable[[], None] | None = None
    stop: Callable[[], Awaitable[None]] | None = None
