"""A question to a DNS server, over UDP and, when the answer does not fit, over TCP.

Target: the name. Options: `record` (A, AAAA, CNAME, MX, TXT, NS, SOA, SRV, CAA, PTR; for PTR the target may be an address),
`resolver` (`host[:port]`, default the first of /etc/resolv.conf), `expect` (text or list: each must be among the answers),
`family`.
"""

from __future__ import annotations

import ipaddress
import os
import socket
from pathlib import Path
from time import monotonic
from typing import NamedTuple

from atalaia_agent import options
from atalaia_agent.deadline import Deadline, elapsed_ms
from atalaia_agent.dial import Address, allowed, dial, resolve
from atalaia_agent.failures import BadOption, ProbeError
from atalaia_agent.outcome import Outcome
from atalaia_agent.probes import Context
from atalaia_agent.probes.dns_message import (
    RECORD_TYPES,
    Answer,
    BadMessage,
    encode_question,
    parse_answer,
)
from atalaia_agent.urls import split_host_port
from atalaia_agent.wire import Probe

_PORT = 53
_TRIES = 3
_RCODES = {1: "format error", 2: "server failure", 3: "no such name", 4: "not implemented", 5: "refused"}
_NO_SUCH_NAME = 3


class _Plan(NamedTuple):
    name: str
    record: str
    resolver: tuple[str, int] | None
    expect: list[str]
    family: str


def measure(probe: Probe, context: Context, found: Outcome) -> None:
    plan = context.remember("plan", lambda: _read(probe))
    host, port = plan.resolver or _system_resolver()
    deadline = Deadline(probe.timeout_s)
    started = monotonic()
    try:
        answer = _ask(plan, host, port, context=context, deadline=deadline)
    finally:
        found.ms = elapsed_ms(started)
    found.data |= {"resolver": host, "answers": answer.values[:50], "rcode": answer.rcode}
    if answer.ttl_s is not None:
        found.data["ttl_s"] = answer.ttl_s
    _check(plan, answer)


def _read(probe: Probe) -> _Plan:
    given = probe.options
    record = options.text(given, "record", "A").upper()
    if record not in RECORD_TYPES:
        raise BadOption("record", f"{record!r} is none of {', '.join(RECORD_TYPES)}")
    resolver = options.text(given, "resolver")
    try:
        asked = split_host_port(resolver, _PORT) if resolver else None
    except ValueError as failure:
        raise BadOption("resolver", str(failure)) from failure
    name = _reverse_name(probe.target.strip()) if record == "PTR" else probe.target.strip()
    return _Plan(
        name,
        record,
        asked,
        [_plain(value) for value in options.texts(given, "expect")],
        options.text(given, "family", "any"),
    )


def _reverse_name(target: str) -> str:
    try:
        return ipaddress.ip_address(target).reverse_pointer
    except ValueError:
        return target


def _system_resolver() -> tuple[str, int]:
    """Read each time: DHCP changes it."""
    try:
        lines = Path("/etc/resolv.conf").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    for line in lines:
        words = line.split()
        if words[:1] == ["nameserver"] and len(words) > 1:
            return words[1], _PORT
    raise ProbeError("no_resolver", "/etc/resolv.conf names no server; set the option resolver", outcome="error")


def _ask(plan: _Plan, host: str, port: int, *, context: Context, deadline: Deadline) -> Answer:
    address = allowed(resolve(host, port, deadline=deadline, family=plan.family), context.reach)[0]
    # Not from `secrets`, which brings the hashes of OpenSSL, 3 MB.
    message_id = int.from_bytes(os.urandom(2), "big")
    try:
        question = encode_question(plan.name, plan.record, message_id)
    except BadMessage as failure:
        raise BadOption("target", str(failure)) from failure
    answer = _over_udp(question, message_id, address=address, deadline=deadline)
    if not answer.is_truncated:
        return answer
    return _over_tcp(question, message_id, address=address, context=context, deadline=deadline)


def _over_udp(question: bytes, message_id: int, *, address: Address, deadline: Deadline) -> Answer:
    with socket.socket(address.family, socket.SOCK_DGRAM) as sock:
        # Connected: the kernel then drops what others send, and tells when nobody listens.
        sock.connect(address.sockaddr)
        for left in range(_TRIES, 0, -1):
            sock.send(question)
            answer = _wait(sock, message_id, question=question, until=monotonic() + deadline.left_s() / left)
            if answer is not None:
                return answer
    raise deadline.passed()


def _wait(sock: socket.socket, message_id: int, *, question: bytes, until: float) -> Answer | None:
    while (left_s := until - monotonic()) > 0:
        sock.settimeout(left_s)
        try:
            message = sock.recv(65_535)
        except TimeoutError:
            return None
        try:
            answer = parse_answer(message, question)
        except BadMessage as failure:
            raise ProbeError("bad_response", str(failure)) from failure
        if answer.message_id == message_id:
            return answer
    return None


def _over_tcp(question: bytes, message_id: int, *, address: Address, context: Context, deadline: Deadline) -> Answer:
    dialed = dial(address.ip, address.sockaddr[1], deadline=deadline, reach=context.reach)
    with dialed.sock as sock:
        sock.settimeout(deadline.left_s())
        sock.sendall(len(question).to_bytes(2, "big") + question)
        size = int.from_bytes(_exactly(sock, 2, deadline), "big")
        message = _exactly(sock, size, deadline)
    try:
        answer = parse_answer(message, question)
    except BadMessage as failure:
        raise ProbeError("bad_response", str(failure)) from failure
    if answer.message_id != message_id:
        raise ProbeError("bad_response", "the answer is to another question")
    return answer


def _exactly(sock: socket.socket, size: int, deadline: Deadline) -> bytes:
    data = b""
    while len(data) < size:
        sock.settimeout(deadline.left_s())
        try:
            part = sock.recv(size - len(data))
        except TimeoutError:
            raise deadline.passed() from None
        if not part:
            raise ProbeError("bad_response", "closed within the answer")
        data += part
    return data


def _check(plan: _Plan, answer: Answer) -> None:
    if answer.rcode:
        code = "dns_no_such_name" if answer.rcode == _NO_SUCH_NAME else "dns_failed"
        raise ProbeError(code, f"{plan.name}: {_RCODES.get(answer.rcode, f'code {answer.rcode}')}")
    if not answer.values:
        raise ProbeError("dns_no_answer", f"{plan.name} has no {plan.record} record")
    given = {_plain(value) for value in answer.values}
    missing = [value for value in plan.expect if value not in given]
    if missing:
        said = ", ".join(answer.values)[:200]
        raise ProbeError("assertion_failed", f"{', '.join(missing)} is not among the answers: {said}")


def _plain(value: str) -> str:
    """Names and addresses are compared as they are meant, not as they are written."""
    text = value.strip().rstrip(".").lower()
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return text
