"""Where samples are forwarded to."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from urllib.parse import unquote, urlsplit, urlunsplit

import msgspec

from atalaia.outbound.guard import Trust
from atalaia.outbound.http import check_url

IMPORT_PATH = "/api/v1/import/prometheus"


class Target(msgspec.Struct, frozen=True):
    """`name` is the address without user, password and query: what is stored, shown and counted by."""

    name: str
    url: str
    headers: dict[str, str]
    trust: Trust


def parse_targets(addresses: Iterable[str], *, is_fixed: bool) -> list[Target]:
    """Targets of the setting; an address without a path gets VictoriaMetrics' own.

    Raises:
        InvalidField: one is no HTTP address.
    """
    trust = Trust.CONFIGURED if is_fixed else Trust.TYPED
    return list({target.name: target for target in (_parse(address, trust) for address in addresses)}.values())


def _parse(address: str, trust: Trust) -> Target:
    parts = urlsplit(check_url(address))
    headers = {"Content-Type": "text/plain; version=0.0.4", "Content-Encoding": "gzip"}
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    host = parts.netloc.rpartition("@")[2]
    path = parts.path if parts.path not in {"", "/"} else IMPORT_PATH
    url = urlunsplit((parts.scheme, host, path, parts.query, ""))
    return Target(urlunsplit((parts.scheme, host, path, "", "")), url, headers, trust)
