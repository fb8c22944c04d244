"""Addresses that can't be reached are refused when they are typed, where that can be told without asking anybody.

Of a name, only what it leads to decides, each time it is connected to: see outbound.guard.
"""

from collections.abc import Mapping
from contextlib import suppress
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from atalaia.core.errors import InvalidField, TargetRefused
from atalaia.outbound.guard import Guard, Trust

_LOOPBACK = "127.0.0.1"


def refuse_unreachable(values: Mapping[str, Any], guard: Guard) -> None:
    """Raises: InvalidField: `url` of a channel leads to a literal address that messages may not be sent to."""
    address = _literal(values.get("url"))
    if address is None:
        return
    try:
        guard.check(address, trust=Trust.TYPED)
    except TargetRefused as refused:
        raise InvalidField("url", refused.message, hint=refused.hint, **refused.params) from refused


def _literal(url: object) -> str | None:
    """The address that stands in a web address; None for a name, and for what is no web address (that is told elsewhere)."""
    if not isinstance(url, str):
        return None
    with suppress(ValueError):
        parts = urlsplit(url.strip())
        if parts.scheme in {"http", "https"} and parts.hostname:
            if parts.hostname == "localhost":
                return _LOOPBACK
            return str(ip_address(parts.hostname.partition("%")[0]))
    return None
