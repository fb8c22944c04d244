"""Names to addresses, addresses to connections, in both families with quick fallback.

Source: RFC 8305 (Happy Eyeballs): families alternate, the next address is tried after 250 ms.
"""

from __future__ import annotations

import errno
import os
import select
import socket
from functools import lru_cache
from time import monotonic
from typing import NamedTuple

from atalaia_agent import streams
from atalaia_agent.deadline import Deadline, elapsed_ms
from atalaia_agent.failures import ERROR, ProbeError
from atalaia_agent.pool import Pool
from atalaia_agent.reach import Reach

FALLBACK_AFTER_S = 0.25

FAMILIES = {"any": socket.AF_UNSPEC, "ipv4": socket.AF_INET, "ipv6": socket.AF_INET6}

_resolvers = Pool("resolve", max_threads=16)


class Address(NamedTuple):
    family: int
    sockaddr: tuple[str, int] | tuple[str, int, int, int]

    @property
    def ip(self) -> str:
        return self.sockaddr[0]


class Dialed(NamedTuple):
    """The instants are by the monotonic clock."""

    sock: socket.socket
    address: str
    started_at: float
    resolved_at: float
    connected_at: float

    @property
    def dns_ms(self) -> float:
        return elapsed_ms(self.started_at, self.resolved_at)

    @property
    def connect_ms(self) -> float:
        return elapsed_ms(self.resolved_at, self.connected_at)


def dial(host: str, port: int, *, deadline: Deadline, reach: Reach | None = None, family: str = "any") -> Dialed:
    """Connect to the first address that answers; the socket does not block. `reach` None allows all (the way to the hub).

    Raises:
        ProbeError, OSError, TimeoutError
    """
    started_at = monotonic()
    addresses = _written_out(host, port, reach=reach, family=family)
    if addresses is None:
        addresses = allowed(resolve(host, port, deadline=deadline, family=family), reach)
    resolved_at = monotonic()
    sock, address = race(addresses, deadline)
    return Dialed(sock, address.sockaddr[0], started_at, resolved_at, monotonic())


@lru_cache(maxsize=1_000)
def _written_out(host: str, port: int, *, reach: Reach | None, family: str) -> list[Address] | None:
    """What needs no look-up has one answer for good; None for a name. Raises ProbeError."""
    literal = _literal(host, port)
    return None if literal is None else allowed([_of_family(literal, family)], reach)


def allowed(addresses: list[Address], reach: Reach | None) -> list[Address]:
    """Checked on what will be connected to, so that a name can't change its mind in between."""
    if reach is None:
        return addresses
    kept = [address for address in addresses if reach.is_allowed(address.ip)]
    if not kept:
        reach.check(addresses[0].ip)
    return kept


def resolve(host: str, port: int, *, deadline: Deadline, family: str = "any") -> list[Address]:
    """At least one address, families alternating, the system's first choice first."""
    _check_family(family)
    literal = _literal(host, port)
    if literal is not None:
        return [_of_family(literal, family)]
    return _alternate(_look_up(host, port, deadline=deadline, family=family))


def _check_family(family: str) -> None:
    if family not in FAMILIES:
        raise ProbeError("bad_option", f"family: {family!r} is none of any, ipv4, ipv6", outcome=ERROR)


def _of_family(literal: Address, family: str) -> Address:
    _check_family(family)
    if FAMILIES[family] not in (socket.AF_UNSPEC, literal.family):
        raise ProbeError("bad_option", f"family: {literal.ip} is not an {family} address", outcome=ERROR)
    return literal


def _literal(host: str, port: int) -> Address | None:
    try:
        if ":" in host:
            return Address(*_numeric(host, port)) if "%" in host else _ipv6(host, port)
        socket.inet_pton(socket.AF_INET, host)
    except OSError:
        return None
    return Address(socket.AF_INET, (host, port))


def _ipv6(host: str, port: int) -> Address:
    socket.inet_pton(socket.AF_INET6, host)
    return Address(socket.AF_INET6, (host, port, 0, 0))


def _numeric(host: str, port: int) -> tuple[int, tuple[str, int, int, int]]:
    found = socket.getaddrinfo(host.encode(), port, socket.AF_INET6, flags=socket.AI_NUMERICHOST)
    return socket.AF_INET6, found[0][4]  # type: ignore[return-value]


def _look_up(host: str, port: int, *, deadline: Deadline, family: str) -> list[Address]:
    """The system's resolver has no time limit of its own, so it waits in a thread that can be left behind."""
    try:
        # As bytes: text would load the tables of internationalised names, 1 MB, for every host.
        name = host.encode("ascii") if host.isascii() else host.encode("idna")
    except UnicodeError as failure:
        raise ProbeError("dns_failed", f"{host!r} is not a host name") from failure
    found = _resolvers.call(
        lambda: socket.getaddrinfo(name, port, FAMILIES[family], socket.SOCK_STREAM),
        wait=lambda is_done: deadline.wait(lambda most_ms: is_done(most_ms / 1_000), f"{host} was not resolved"),
    )
    return [Address(int(kind), sockaddr) for kind, _, _, _, sockaddr in found]  # type: ignore[arg-type]


def _alternate(addresses: list[Address]) -> list[Address]:
    first = [address for address in addresses if address.family == addresses[0].family]
    second = [address for address in addresses if address.family != addresses[0].family]
    if not second:
        return first
    mixed: list[Address] = []
    for index in range(max(len(first), len(second))):
        mixed += first[index : index + 1] + second[index : index + 1]
    return mixed


def race(addresses: list[Address], deadline: Deadline) -> tuple[socket.socket, Address]:
    """A connection to the first of at least one address that takes one. Raises OSError, TimeoutError."""
    if len(addresses) == 1:
        return _connect(addresses[0], deadline), addresses[0]
    runners = _Race(deadline)
    try:
        for address in addresses:
            runners.start(address)
            is_last = address is addresses[-1]
            wait_s = deadline.left_s() if is_last else min(FALLBACK_AFTER_S, deadline.left_s())
            won = runners.wait(monotonic() + wait_s)
            if won is not None:
                return won
        raise runners.failure or deadline.passed("no connection")
    finally:
        runners.close_losers()


def _connect(address: Address, deadline: Deadline) -> socket.socket:
    """The usual case, without the cost of a race."""
    sock = socket.socket(address.family, streams.STREAM)
    try:
        streams.connect(sock, address.sockaddr, deadline)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        sock.close()
        raise
    return sock


class _Race:
    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        self._runners: dict[int, tuple[socket.socket, Address]] = {}
        self._poll = select.poll()
        self._winner: socket.socket | None = None
        self.failure: OSError | None = None

    def start(self, address: Address) -> None:
        try:
            sock = socket.socket(address.family, streams.STREAM)
        except OSError as failure:
            self.failure = self.failure or failure
            return
        code = sock.connect_ex(address.sockaddr)
        if code not in (0, errno.EINPROGRESS):
            sock.close()
            self.failure = self.failure or OSError(code, os.strerror(code))
            return
        self._runners[sock.fileno()] = (sock, address)
        self._poll.register(sock, select.POLLOUT)

    def wait(self, until: float) -> tuple[socket.socket, Address] | None:
        """The first to connect, or None when all have failed or it is `until`."""
        while self._runners:
            ready = self._deadline.watch(self._poll.poll, until)
            if not ready:
                return None
            for fileno, _ in ready:
                won = self._settle(fileno)
                if won is not None:
                    return won
        return None

    def _settle(self, fileno: int) -> tuple[socket.socket, Address] | None:
        sock, address = self._runners[fileno]
        code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            self._poll.unregister(fileno)
            del self._runners[fileno]
            sock.close()
            self.failure = self.failure or OSError(code, os.strerror(code))
            return None
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._winner = sock
        return sock, address

    def close_losers(self) -> None:
        for sock, _ in self._runners.values():
            if sock is not self._winner:
                sock.close()
