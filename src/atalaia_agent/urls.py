from __future__ import annotations

from socket import AF_INET6, inet_pton
from urllib.parse import quote, unquote, urlsplit

from atalaia_agent.http1 import Address, default_port


def parse_http_url(url: str) -> Address:
    """Raises ValueError, saying what is wrong with the URL; the message never repeats a password in it."""
    parts = urlsplit(url.strip())
    if parts.scheme not in ("http", "https"):
        raise ValueError("it must begin with http:// or https://")
    if not parts.hostname:
        raise ValueError("it has no host name")
    try:
        port = parts.port
    except ValueError:
        raise ValueError("its port is not a number from 0 to 65535") from None
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    if parts.query:
        path += "?" + quote(parts.query, safe="/%:@!$&'()*+,;=~-._?")
    user, at, _ = parts.netloc.rpartition("@")
    return Address(parts.scheme, parts.hostname, port or default_port(parts.scheme), path, unquote(user) if at else "")


def split_host_port(target: str, default: int | None = None) -> tuple[str, int]:
    """`host:port`, `[v6]:port`, and, with a default port, a bare host. Raises ValueError."""
    host, colon, port = target.strip().rpartition(":")
    if not colon or (":" in host and not host.startswith("[")) or port.endswith("]"):
        if default is None:
            raise ValueError(f"{target!r} has no port")
        host, port = target.strip(), str(default)
    host = host.strip("[]")
    if not host:
        raise ValueError(f"{target!r} has no host")
    if ":" in host:
        _check_ipv6(host)
    if not port.isdigit() or not 0 < int(port) < 65_536:  # noqa: PLR2004 - a port is 16 bits
        raise ValueError(f"{port!r} is not a port")
    return host, int(port)


def _check_ipv6(host: str) -> None:
    try:
        inet_pton(AF_INET6, host.partition("%")[0])
    except OSError:
        raise ValueError(f"{host!r} is not an address") from None
