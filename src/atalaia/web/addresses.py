"""Where a request really comes from, and where the hub really is.

The client is the right-most address of X-Forwarded-For that is not a trusted proxy; without a trusted peer the header
counts for nothing. Links are made from the public address of the settings, never from the Host header.
"""

import ipaddress
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from atalaia.core.errors import ConfigError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class TrustedProxies:
    def __init__(self, networks: Iterable[str]) -> None:
        self._networks: list[Network] = []
        for text in networks:
            try:
                self._networks.append(ipaddress.ip_network(text, strict=False))
            except ValueError as error:
                raise ConfigError(f"hub.trusted_proxies: {text} is not an address or a network") from error

    def includes(self, address: str) -> bool:
        if not self._networks:
            return False
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        # A socket for both families has IPv4 peers in an IPv6 coat.
        plain = getattr(parsed, "ipv4_mapped", None) or parsed
        return any(plain in network for network in self._networks)

    def client_of(self, scope: Any) -> str:
        """The address that a request comes from, as text; `-` where the transport has none."""
        peer = scope["client"][0] if scope.get("client") else "-"
        if not self.includes(peer):
            return peer
        chain = [_bare(part.strip()) for part in _all(scope, b"x-forwarded-for").split(",") if part.strip()]
        for address in reversed(chain):
            if not self.includes(address):
                return address
        return chain[0] if chain else peer


def _all(scope: Any, name: bytes) -> str:
    """Some proxies add a line of their own below the sender's instead of adding to it: together they are one list (RFC 9110, 5.3)."""
    return ",".join(str(value, "latin-1") for key, value in scope["headers"] if key == name)


def _bare(text: str) -> str:
    """Without the port that some proxies tell too: with it, each connection would be another client."""
    if text.startswith("["):
        return text[1:].partition("]")[0]
    host, colon, port = text.partition(":")
    return host if colon and port.isdigit() else text


def header(scope: Any, name: bytes) -> str:
    """A header's value, or an empty text. `name` is lower case."""
    for key, value in scope["headers"]:
        if key == name:
            return str(value, "latin-1")
    return ""


@lru_cache(maxsize=4096)
def is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
