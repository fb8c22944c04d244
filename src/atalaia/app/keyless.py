"""Kept endpoints may be called without a key from networks that a setting names; from nowhere by default."""

import ipaddress
from collections.abc import Callable, Sequence

import structlog

from atalaia.access.guards import AnyConnection, requires
from atalaia.core.errors import Unauthenticated
from atalaia.core.permissions import Permission, Principal
from atalaia.core.translations import N_

log = structlog.get_logger()


class RequiresKeyOrNetwork(requires):
    """As `requires`; who brings no key and comes from one of `networks()` may do what this route does, and no more."""

    def __init__(self, permission: Permission, *, networks: Callable[[], Sequence[str]]) -> None:
        super().__init__(permission)
        self._networks = networks

    def _check_permission(self, connection: AnyConnection, principal: Principal | None) -> None:
        state = connection.scope["state"]
        if principal is None and "refusal" not in state and is_within(state["client"], self._networks()):
            state["principal"] = _of_network(state["client"], self.permission)
            return
        try:
            super()._check_permission(connection, principal)
        except Unauthenticated as refusal:
            raise Unauthenticated(
                refusal.message,
                hint=N_(
                    "Send the key as Authorization: Bearer <key> or X-API-Key: <key>. Without one only networks are let in "
                    "that the integration's settings name; by default none."
                ),
                **refusal.params,
            ) from refusal


def is_within(address: str, networks: Sequence[str]) -> bool:
    if not networks:
        return False
    try:
        client = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(client, "ipv4_mapped", None)
    return any(_holds(network, mapped or client) for network in networks)


def _holds(network: str, client: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    try:
        return client in ipaddress.ip_network(network.strip(), strict=False)
    except ValueError:
        log.warning("keyless_network_not_understood", network=network)
        return False


def _of_network(address: str, permission: Permission) -> Principal:
    return Principal(
        id=f"network:{address}", kind="network", name=address, permissions=frozenset({Permission.PUBLIC, permission})
    )
