"""Echo requests ("ping"), over IPv4 and IPv6.

Options: `count` (3), `gap_s` (0.2), `max_loss_percent` (99: one answer is enough), `family`. Needs a raw socket
(CAP_NET_RAW), or a group that `net.ipv4.ping_group_range` allows. Source: RFC 792, RFC 4443.
"""

from __future__ import annotations

import os
import socket
from struct import pack, unpack_from
from time import monotonic
from typing import NamedTuple

from atalaia_agent import options
from atalaia_agent.deadline import Deadline, elapsed_ms
from atalaia_agent.dial import Address, allowed, resolve
from atalaia_agent.failures import ERROR, TIMEOUT, ProbeError
from atalaia_agent.outcome import Outcome
from atalaia_agent.probes import Context
from atalaia_agent.wire import Probe

_ECHO, _ECHO6 = 8, 128
_REPLY, _REPLY6 = 0, 129
_TOKEN_BYTES = 16
_HEADER_BYTES = 8

_NOT_PERMITTED = (
    "this agent may not send ICMP: give its service AmbientCapabilities=CAP_NET_RAW, or its group the right with "
    'sysctl net.ipv4.ping_group_range="0 2147483647"'
)


class _Plan(NamedTuple):
    echoes: int
    gap_s: float
    max_loss_percent: float
    family: str


def measure(probe: Probe, context: Context, found: Outcome) -> None:
    plan = context.remember("plan", lambda: _read(probe))
    deadline = Deadline(probe.timeout_s)
    started = monotonic()
    address = allowed(resolve(probe.target.strip(), 0, deadline=deadline, family=plan.family), context.reach)[0]
    found.phases["dns"] = elapsed_ms(started)
    found.data["address"] = address.ip
    with _open(address) as sock:
        trips_ms = _Echoes(sock, address, plan).run(deadline)
    _report(plan, trips_ms, found=found, deadline=deadline)


def _read(probe: Probe) -> _Plan:
    given = probe.options
    return _Plan(
        echoes=options.whole(given, "count", 3, least=1, most=20),
        gap_s=options.number(given, "gap_s", 0.2, most=10),
        max_loss_percent=options.number(given, "max_loss_percent", 99, most=100),
        family=options.text(given, "family", "any"),
    )


def _open(address: Address) -> socket.socket:
    protocol = socket.IPPROTO_ICMP if address.family == socket.AF_INET else socket.IPPROTO_ICMPV6
    for kind in (socket.SOCK_DGRAM, socket.SOCK_RAW):
        try:
            sock = socket.socket(address.family, kind, protocol)
        except PermissionError:
            continue
        sock.connect(address.sockaddr)
        return sock
    raise ProbeError("not_permitted", _NOT_PERMITTED, outcome=ERROR)


class _Echoes:
    def __init__(self, sock: socket.socket, address: Address, plan: _Plan) -> None:
        self._sock = sock
        self._is_ipv4 = address.family == socket.AF_INET
        self._is_raw = sock.type == socket.SOCK_RAW
        self._plan = plan
        # Others on this machine get the same packets on raw sockets; the kernel changes the identifier on the other kind.
        self._token = os.urandom(_TOKEN_BYTES)
        self._sent_at: dict[int, float] = {}
        self._trips_ms: dict[int, float] = {}

    def run(self, deadline: Deadline) -> list[float]:
        """Milliseconds of each echo that came back in time."""
        for number in range(1, self._plan.echoes + 1):
            if deadline.at - monotonic() <= 0:
                break
            self._sent_at[number] = monotonic()
            self._sock.send(self._encode(number))
            is_last = number == self._plan.echoes
            self._receive(deadline.at if is_last else min(monotonic() + self._plan.gap_s, deadline.at), is_last=is_last)
        return list(self._trips_ms.values())

    def _encode(self, number: int) -> bytes:
        kind = _ECHO if self._is_ipv4 else _ECHO6
        identifier = int.from_bytes(self._token[:2], "big")
        packet = pack(">BBHHH", kind, 0, 0, identifier, number) + self._token
        # For ICMPv6 the kernel fills in the checksum, since it knows the source address.
        return packet[:2] + pack(">H", checksum(packet)) + packet[4:] if self._is_ipv4 else packet

    def _receive(self, until: float, *, is_last: bool) -> None:
        while (left_s := until - monotonic()) > 0:
            if is_last and len(self._trips_ms) == len(self._sent_at):
                return
            self._sock.settimeout(left_s)
            try:
                packet = self._sock.recv(2_048)
            except TimeoutError:
                return
            self._take(packet, monotonic())

    def _take(self, packet: bytes, arrived_at: float) -> None:
        if self._is_raw and self._is_ipv4 and packet:
            packet = packet[(packet[0] & 0x0F) * 4 :]  # a raw IPv4 socket gives the IP header too
        if len(packet) < _HEADER_BYTES + _TOKEN_BYTES:
            return
        kind, _, _, _, number = unpack_from(">BBHHH", packet)
        is_ours = packet[_HEADER_BYTES : _HEADER_BYTES + _TOKEN_BYTES] == self._token
        if kind == (_REPLY if self._is_ipv4 else _REPLY6) and is_ours and number in self._sent_at:
            self._trips_ms.setdefault(number, elapsed_ms(self._sent_at[number], arrived_at))


def _report(plan: _Plan, trips_ms: list[float], *, found: Outcome, deadline: Deadline) -> None:
    loss_percent = round(100 * (1 - len(trips_ms) / plan.echoes), 1)
    found.data |= {"sent": plan.echoes, "received": len(trips_ms), "loss_percent": loss_percent}
    if not trips_ms:
        failure = deadline.passed()
        raise ProbeError("timeout", str(failure), outcome=TIMEOUT)
    mean_ms = round(sum(trips_ms) / len(trips_ms), 3)
    found.ms = mean_ms
    found.data |= {"min_ms": min(trips_ms), "mean_ms": mean_ms, "max_ms": max(trips_ms)}
    if loss_percent > plan.max_loss_percent:
        raise ProbeError("packet_loss", f"{loss_percent:g} % of the packets were lost")


def checksum(packet: bytes) -> int:
    """Source: RFC 1071."""
    total: int = sum(unpack_from(f">{len(packet) // 2}H", packet))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF
