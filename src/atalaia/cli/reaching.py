"""What the doctor says of the upstreams that are configured: whether their addresses answer, by which family, with which certificate.

Nobody logs in: a connection is opened, TLS agreed on, and closed. Only host and port are said, since a path may hold a key.
"""

import asyncio
import contextlib
import os
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from atalaia.app.integrations import setting_getter
from atalaia.core.errors import ConfigError
from atalaia.core.settings import INTEGRATIONS, Settings
from atalaia.integrations import find_integrations
from atalaia.outbound.guard import Guard, Trust
from atalaia.store.diagnosis import Finding, error, ok, warning

CONNECT_S: Final = 5.0
NAME_S: Final = 5.0
CERTIFICATE_DAYS: Final = 14
_DAY_S: Final = 86_400
_PORTS: Final = {"http": 80, "ws": 80, "https": 443, "wss": 443}
_TLS: Final = frozenset({"https", "wss"})
_FAMILIES: Final = {socket.AF_INET: "IPv4", socket.AF_INET6: "IPv6"}


@dataclass(frozen=True, slots=True)
class Target:
    """`subject` is the setting; `trust` says whether it was typed on the settings page."""

    subject: str
    host: str
    port: int
    is_tls: bool
    trust: Trust = Trust.CONFIGURED

    @property
    def place(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class _Answered:
    """By one family. `days_left` of the certificate; `is_refused_by` "TLS" or "hub", or "" where nobody answered."""

    family: str
    trouble: str = ""
    is_refused_by: str = ""
    took_ms: float = 0.0
    days_left: float | None = None


def examine_upstreams(load: Callable[[], Settings]) -> Iterator[Finding]:
    """Addresses that somebody set; one that stands as the default may be of an integration that nobody uses."""
    try:
        settings = load()
    except ConfigError:  # said by the look at the settings
        return
    guard = Guard(allow_private=bool(settings.get("hub.allow_private_targets")))
    targets, unreadable = configured_targets(settings)
    for subject in unreadable:
        yield error(subject, "this is no address", "Write it as https://HOST or wss://HOST:PORT.")
    for found in asyncio.run(_all(targets, guard)):
        yield from found


def configured_targets(settings: Settings) -> tuple[list[Target], list[str]]:
    """And the settings whose address can't be read."""
    targets: list[Target] = []
    unreadable: list[str] = []
    for loaded in find_integrations():
        if loaded.integration is None:
            continue
        manifest = loaded.integration.manifest
        if not manifest.is_configured(setting_getter(settings, loaded.name)):
            continue
        for setting in manifest.settings:
            value = settings.lookup(setting.key)
            if setting.kind != "str" or value.source == "default" or "://" not in str(value.value):
                continue
            if not setting.key.startswith(f"{INTEGRATIONS}.{loaded.name}."):
                continue
            trust = Trust.TYPED if value.source == "page" else Trust.CONFIGURED
            target = _target(setting.key, str(value.value), trust)
            if target is not None:
                targets.append(target)
            else:
                unreadable.append(setting.key)
    return targets, unreadable


def _target(subject: str, address: str, trust: Trust) -> Target | None:
    try:
        parts = urlsplit(address)
        port = parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return None
    if not parts.hostname or port is None or parts.scheme not in _PORTS:
        return None
    return Target(subject, parts.hostname, port, parts.scheme in _TLS, trust)


async def _all(targets: Sequence[Target], guard: Guard) -> list[list[Finding]]:
    return await asyncio.gather(*(examine_target(target, guard) for target in targets))


async def examine_target(target: Target, guard: Guard, *, context: ssl.SSLContext | None = None) -> list[Finding]:
    """`context` is what certificates are held against; without one what the hub holds them against."""
    addresses = await _addresses(target)
    if not addresses:
        return [
            error(
                target.subject,
                f"the name {target.host} is unknown",
                "Look at the address, and at this machine's resolver (/etc/resolv.conf).",
            )
        ]
    used = (context or ssl.create_default_context()) if target.is_tls else None
    answered = await asyncio.gather(
        *(_ask(target, family, address, guard, used) for family, address in addresses.items())
    )
    return list(_said(target, answered))


async def _addresses(target: Target) -> dict[socket.AddressFamily, str]:
    """The first of each family."""
    found: dict[socket.AddressFamily, str] = {}
    loop = asyncio.get_running_loop()
    with contextlib.suppress(OSError, UnicodeError, TimeoutError):
        async with asyncio.timeout(NAME_S):
            infos = await loop.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
        for family, _, _, _, address in infos:
            if family in _FAMILIES:
                found.setdefault(family, str(address[0]))
    return found


async def _ask(
    target: Target, family: socket.AddressFamily, address: str, guard: Guard, context: ssl.SSLContext | None
) -> _Answered:
    name = _FAMILIES[family]
    if not guard.allows(address, trust=target.trust):
        return _Answered(name, f"{address} is private", is_refused_by="hub")
    started = time.monotonic()
    try:
        async with asyncio.timeout(CONNECT_S):
            _, writer = await asyncio.open_connection(
                address, target.port, ssl=context, server_hostname=target.host if context else None
            )
    except ssl.SSLCertVerificationError as problem:
        return _Answered(name, problem.verify_message, is_refused_by="TLS")
    except ssl.SSLError as problem:
        return _Answered(name, problem.reason or "no TLS", is_refused_by="TLS")
    except TimeoutError:
        return _Answered(name, f"no answer in {CONNECT_S:g} s")
    except OSError as problem:
        return _Answered(name, os.strerror(problem.errno) if problem.errno else type(problem).__name__)
    took_ms = (time.monotonic() - started) * 1000
    certificate = writer.get_extra_info("peercert")
    writer.close()
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(CONNECT_S):
            await writer.wait_closed()
    days_left = (ssl.cert_time_to_seconds(certificate["notAfter"]) - time.time()) / _DAY_S if certificate else None
    return _Answered(name, took_ms=took_ms, days_left=days_left)


def _said(target: Target, answered: Sequence[_Answered]) -> Iterator[Finding]:
    well = [each for each in answered if not each.trouble]
    subject, place = target.subject, target.place
    troubles = "; ".join(f"by {each.family}: {each.trouble}" for each in answered if each.trouble)
    if not well:
        yield error(subject, f"{place} can't be used ({troubles})", _advice(target, answered))
        return
    ways = " and ".join(f"{each.family} ({each.took_ms:.0f} ms)" for each in well)
    if troubles:
        yield warning(
            subject,
            f"{place} answers by {ways}, but not {troubles}",
            "Calls fall back by themselves; mend that way out, or have the name's address of that family taken away.",
        )
    else:
        yield ok(subject, f"{place} answers by {ways}{', TLS valid' if target.is_tls else ''}")
    days_left = min((each.days_left for each in well if each.days_left is not None), default=None)
    if days_left is not None and days_left < CERTIFICATE_DAYS:
        yield warning(subject, f"its certificate ends in {days_left:.0f} days", f"Tell whoever runs {target.host}.")


def _advice(target: Target, answered: Sequence[_Answered]) -> str:
    refused = {each.is_refused_by for each in answered}
    if "TLS" in refused:
        return (
            f"Look at the certificate of {target.host}: its end, its names, its chain; an authority of your own belongs"
            " into this machine's store. Is the scheme right?"
        )
    if "hub" in refused:
        return (
            "Private addresses of the settings page are not called: set it in atalaia.toml or the environment,"
            " or set ATALAIA_ALLOW_PRIVATE_TARGETS=1."
        )
    return f"Is the address right, does it run, and may this machine go out to port {target.port} (firewall, proxy)?"
