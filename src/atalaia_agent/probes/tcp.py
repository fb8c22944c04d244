r"""A TCP connection, and, if wished, a word sent and one expected.

Target `host:port`. Options: `send` and `expect` (text; `\r`, `\n`, `\t` and `\xNN` in them are the bytes), `family`.
"""

from __future__ import annotations

import re
import socket
from time import monotonic
from typing import NamedTuple

from atalaia_agent import options, streams
from atalaia_agent.deadline import Deadline, elapsed_ms
from atalaia_agent.dial import dial
from atalaia_agent.failures import BadOption, ProbeError
from atalaia_agent.outcome import Outcome
from atalaia_agent.probes import Context
from atalaia_agent.urls import split_host_port
from atalaia_agent.wire import Probe

_MAX_ANSWER_BYTES = 65_536
_ESCAPE = re.compile(r"\\(r|n|t|\\|x[0-9a-fA-F]{2})")
_ESCAPED = {"r": b"\r", "n": b"\n", "t": b"\t", "\\": b"\\"}


class _Plan(NamedTuple):
    host: str
    port: int
    send: bytes
    expect: bytes
    family: str


def measure(probe: Probe, context: Context, found: Outcome) -> None:
    plan = context.remember("plan", lambda: _read(probe))
    deadline = Deadline(probe.timeout_s, context.turn)
    started = monotonic()
    try:
        dialed = dial(plan.host, plan.port, deadline=deadline, reach=context.reach, family=plan.family)
        found.phases = {"dns": dialed.dns_ms, "connect": dialed.connect_ms}
        found.data["address"] = dialed.address
        with dialed.sock as sock:
            _talk(plan, sock, found=found, deadline=deadline)
    finally:
        found.ms = elapsed_ms(started)


def _read(probe: Probe) -> _Plan:
    try:
        host, port = split_host_port(probe.target.removeprefix("tcp://"))
    except ValueError as failure:
        raise BadOption("target", str(failure)) from failure
    given = probe.options
    return _Plan(
        host,
        port,
        _bytes(options.text(given, "send")),
        _bytes(options.text(given, "expect")),
        options.text(given, "family", "any"),
    )


def _bytes(text: str) -> bytes:
    parts = _ESCAPE.split(text)
    words = [part.encode() for part in parts[::2]]
    escapes = [_ESCAPED.get(part) or bytes.fromhex(part[1:]) for part in parts[1::2]]
    return b"".join(b for pair in zip(words, [*escapes, b""], strict=True) for b in pair)


def _talk(plan: _Plan, sock: socket.socket, *, found: Outcome, deadline: Deadline) -> None:
    started = monotonic()
    if plan.send:
        streams.send(sock, plan.send, deadline)
    if not plan.expect:
        return
    answer = b""
    while plan.expect not in answer:
        data = streams.receive(sock, 4_096, deadline=deadline, what=f"{plan.expect!r} did not come")
        if data and not answer:
            found.phases["first_byte"] = elapsed_ms(started)
        answer += data
        if not data or len(answer) > _MAX_ANSWER_BYTES:
            raise ProbeError("assertion_failed", f"answered {answer[:100]!r}, expected {plan.expect!r}")
    found.data["answer"] = answer[:200].decode("utf-8", "replace")
