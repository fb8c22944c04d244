"""WebSocket routes of integrations: who may open one is decided before the handshake; text messages both ways after it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

NORMAL: Final = 1000
GOING_AWAY: Final = 1001
PROTOCOL_ERROR: Final = 1002
UNSUPPORTED: Final = 1003
NOT_ALLOWED: Final = 1008
TOO_LARGE: Final = 1009


class SocketClosed(Exception):
    """Nothing more comes and nothing can be sent: by whom it was closed, the code says (RFC 6455, 7.4.1)."""

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(f"closed: {code} {reason}".rstrip())
        self.code = code


@dataclass(frozen=True, slots=True)
class SocketRequest:
    """Who asks to open a socket; nothing is decided yet. `client` is the address, as trusted proxies tell it."""

    path: str
    path_params: Mapping[str, str]
    headers: Mapping[str, str]  # names in lower case
    client: str
    subprotocols: tuple[str, ...] = ()


class Socket(Protocol):
    """An open one."""

    @property
    def request(self) -> SocketRequest: ...

    @property
    def subprotocol(self) -> str | None:
        """The one that was agreed on."""

    async def receive(self) -> str:
        """The next message. Raises: SocketClosed."""

    async def send(self, text: str) -> None:
        """Raises: SocketClosed."""

    async def close(self, code: int = NORMAL, reason: str = "") -> None:
        """Whoever waits in `receive` gets SocketClosed. Closing twice is nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketRoute:
    """An address that WebSockets may be opened at.

    `authenticate` gives what `serve` is told of the peer, or raises, which refuses the handshake: Unauthenticated (401,
    with `realm` as Basic authentication), Forbidden (403), NotFound (404), Overloaded (503). Cookies count for nothing. Where
    there are `subprotocols`, a peer that offers none of them is closed right after the handshake, as RFC 6455 has it.
    `serve` ends: the socket is closed. A message of over `max_message_bytes` closes it (1009), as silence for `idle_s` does; the
    hub pings by itself. More than `most` at once are refused.
    """

    path: str  # `{name}` marks one part
    authenticate: Callable[[SocketRequest], Awaitable[Any]]
    serve: Callable[[Socket, Any], Awaitable[None]]
    subprotocols: tuple[str, ...] = ()
    realm: str = "Atalaia"
    max_message_bytes: int = 65_536
    idle_s: float = 3600.0
    most: int = 1000
    document: Mapping[str, Any] = field(default_factory=dict)  # OpenAPI operation of its GET
