"""Connections that the guard has let through: for aiohttp, and as plain sockets for what speaks another protocol."""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import aiohappyeyeballs

from atalaia.core.errors import TargetRefused
from atalaia.outbound.guard import Guard, Trust, refusal
from atalaia.sdk.failures import TemporaryFailure

FALLBACK_DELAY_S = 0.25  # RFC 8305, section 5

_AddressInfo = tuple[int | socket.AddressFamily, int | socket.SocketKind, int, str, tuple[Any, ...]]


class AddressRefused(OSError):
    """The guard's no, in the shape that connecting code takes for "try the next address"."""

    def __init__(self, address: str) -> None:
        # One text for all addresses: only then a list of such errors stays what it is.
        super().__init__("address refused")
        self.address = address


def guarded_socket_factory(guard: Guard, *, trust: Trust) -> Callable[[_AddressInfo], socket.socket]:
    """Called with each resolved address just before it is connected to."""

    def make(info: _AddressInfo) -> socket.socket:
        family, kind, protocol, _name, address = info
        if not guard.allows(str(address[0]), trust=trust):
            raise AddressRefused(str(address[0]))
        made = socket.socket(family=family, type=kind, proto=protocol)
        made.setblocking(False)
        return made

    return make


async def open_socket(host: str, port: int, *, guard: Guard, trust: Trust, timeout_s: float) -> socket.socket:
    """A connected, non-blocking socket; the fastest of the host's allowed addresses (RFC 8305).

    Raises:
        TargetRefused: all addresses are refused.
        TemporaryFailure: the name is unknown, or nobody answers.
    """
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(timeout_s):
            infos = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            return await aiohappyeyeballs.start_connection(
                infos,
                happy_eyeballs_delay=FALLBACK_DELAY_S,
                socket_factory=guarded_socket_factory(guard, trust=trust),
            )
    except AddressRefused as error:
        raise refusal(error.address) from error
    except TimeoutError as error:
        raise TemporaryFailure("No connection to {host}:{port} in time.", host=host, port=port) from error
    except (OSError, UnicodeError, RuntimeError) as error:
        raise TemporaryFailure("No connection to {host}:{port}: {why}", host=host, port=port, why=str(error)) from error


def refused_address(error: BaseException | None) -> TargetRefused | None:
    """The guard's no inside an error of a library, or None."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, AddressRefused):
            return refusal(seen.address)
        seen = getattr(seen, "os_error", None) or seen.__cause__ or seen.__context__
    return None
