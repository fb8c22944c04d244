"""Which addresses a probe may connect to: the agent's own decision, whatever the hub asks for."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from atalaia_agent.failures import ERROR, ProbeError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# Where clouds hand out credentials to whoever asks from inside the machine.
METADATA_NETWORKS = ("169.254.169.254/32", "169.254.170.2/32", "fd00:ec2::254/128")

_MOST_KNOWN = 1_000
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class Reach:
    """`allow` empty means everywhere; `deny` wins."""

    def __init__(self, *, allow: Iterable[str] = (), deny: Iterable[str] = METADATA_NETWORKS) -> None:
        self._allow = [ipaddress.ip_network(network, strict=False) for network in allow]
        self._deny = [ipaddress.ip_network(network, strict=False) for network in deny]
        self._known: dict[str, bool] = {}

    def is_allowed(self, address: str) -> bool:
        known = self._known.get(address)
        if known is None:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            known = self._known[address] = self._decide(address)
        return known

    def _decide(self, address: str) -> bool:
        faces = _faces(address)
        if any(_is_in(face, self._deny) for face in faces):
            return False
        return not self._allow or all(_is_in(face, self._allow) for face in faces)

    def check(self, address: str) -> None:
        """Raises ProbeError."""
        if not self.is_allowed(address):
            raise ProbeError("address_denied", f"this agent's settings do not allow {address}", outcome=ERROR)


def _is_in(address: ipaddress.IPv4Address | ipaddress.IPv6Address, networks: list[Network]) -> bool:
    return any(address.version == network.version and address in network for network in networks)


def _faces(address: str) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    """The machine that answers: an IPv4 address may be dressed as IPv6 in three ways."""
    plain = ipaddress.ip_address(address.partition("%")[0])
    if plain.version == 4:  # noqa: PLR2004 - the protocol's own number
        return [plain]
    inner = plain.ipv4_mapped or plain.sixtofour
    if inner is None and plain in _NAT64:
        inner = ipaddress.IPv4Address(int(plain) & 0xFFFFFFFF)
    return [inner] if plain.ipv4_mapped and inner else [plain, *([inner] if inner else [])]
