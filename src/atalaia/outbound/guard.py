"""Which addresses the hub may reach: decided on the address that is connected to, never on the name.

A name can answer differently each time it is asked (DNS rebinding), so a check before the connection proves nothing.
"""

from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from atalaia.core.errors import TargetRefused

_Address = IPv4Address | IPv6Address

# Where clouds hand out credentials to whoever asks from inside the machine.
_METADATA = frozenset(
    ip_address(text)
    for text in (
        "169.254.169.254",  # AWS, Azure, Google, DigitalOcean, OpenStack, Oracle
        "169.254.170.2",  # AWS ECS tasks
        "169.254.170.23",  # AWS EKS pods
        "169.254.42.42",  # Scaleway
        "168.63.129.16",  # Azure's wire server
        "100.100.100.200",  # Alibaba
        "192.0.0.192",  # Oracle, former
        "fd00:ec2::254",
        "fd00:ec2::23",
        "fd00:42::42",
        "fd20:ce::254",
    )
)
# Addresses that stand for an IPv4 address; a private one must not slip through in such a coat.
_NAT64 = IPv6Network("64:ff9b::/96")
_COMPATIBLE = IPv6Network("::/96")


class Trust(StrEnum):
    """Who named the address."""

    TYPED = "typed"  # a person, on a page or by the API
    CONFIGURED = "configured"  # the settings file or the environment


def _carried_ipv4(address: IPv6Address) -> IPv4Address | None:
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if address in _NAT64 or (address in _COMPATIBLE and int(address) > 1):
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return None


def _plain(text: str) -> _Address:
    address = ip_address(text.partition("%")[0])
    if isinstance(address, IPv6Address):
        return _carried_ipv4(address) or address
    return address


def is_metadata(text: str) -> bool:
    return _plain(text) in _METADATA


def is_public(text: str) -> bool:
    """True for an address that the open internet routes to one machine."""
    address = _plain(text)
    if isinstance(address, IPv6Address) and address.is_site_local:  # fec0::/10: private before fc00::/7 was
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


class Guard:
    def __init__(self, *, allow_private: bool = False) -> None:
        self._allow_private = allow_private

    def allows(self, address: str, *, trust: Trust) -> bool:
        """`address` is an IPv4 or IPv6 address as text, with or without a zone."""
        if is_metadata(address):
            return False
        return trust is Trust.CONFIGURED or self._allow_private or is_public(address)

    def check(self, address: str, *, trust: Trust) -> None:
        """Raises: TargetRefused."""
        if not self.allows(address, trust=trust):
            raise refusal(address)


def refusal(address: str) -> TargetRefused:
    if is_metadata(address):
        return TargetRefused("The address {address} is a cloud's metadata service.", address=address)
    return TargetRefused(
        "The address {address} is in a private range.",
        address=address,
        hint="Set ATALAIA_ALLOW_PRIVATE_TARGETS=1 to allow private and loopback addresses.",
    )
