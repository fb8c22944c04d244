"""The ping of the kept format: how long the way to a collector takes, by one clock.

The round trip is from the send to the first byte by the monotonic clock, less the time that the collector says it spent;
names, TCP and TLS are measured apart, and only when the connection had to be made. Options: `target` (name of the
collector's location), `source` ({location, datacenter, country}), `ca`, `family`. Secret: `key`, where it is not the hub's.
"""

from __future__ import annotations

import time
from typing import Any

from atalaia_agent import __version__, http1, options
from atalaia_agent.clock import instant_text, parse_instant_ms
from atalaia_agent.deadline import Deadline
from atalaia_agent.failures import BadOption, ProbeError
from atalaia_agent.json_text import decode, encode
from atalaia_agent.kept import Exchange, KeptConnection
from atalaia_agent.outcome import Outcome, Ping
from atalaia_agent.probes import Context
from atalaia_agent.urls import parse_http_url
from atalaia_agent.wire import PING_PATH, Probe, new_uuid

_MAX_ANSWER_BYTES = 100_000
_CLOCK_EVERY_S = 10.0
_CONNECTION_ERRORS = ("connection_refused", "connection_reset", "network_unreachable", "host_unreachable", "dns_failed")


def measure(probe: Probe, context: Context, found: Outcome) -> None:
    collector = context.remember("collector", lambda: _Collector(probe, context))
    ping_id = new_uuid()
    try:
        exchange = collector.ask(ping_id, Deadline(probe.timeout_s, context.turn))
    except (ProbeError, OSError) as failure:
        found.ping = collector.failed(ping_id, _outcome_of(failure))
        raise
    status = exchange.response.status
    if status != 200:  # noqa: PLR2004
        found.ping = collector.failed(ping_id, f"http_{status}", exchange.connect_ms)
        raise ProbeError("status_mismatch", f"the collector answered {status} {exchange.response.reason}")
    found.ping = collector.arrived(ping_id, exchange)
    found.ms = found.ping.rtt_ms


class _Collector:
    def __init__(self, probe: Probe, context: Context) -> None:
        try:
            address = parse_http_url(probe.target)
        except ValueError as failure:
            raise BadOption("target", str(failure)) from failure
        path = address.path.rstrip("/")
        path = path if path.endswith(PING_PATH) else path + PING_PATH
        given = probe.options
        self._source = _source(context.identity.source, options.mapping(given, "source"))
        self._target = options.text(given, "target") or address.host
        self._head = http1.encode_head("POST", path, headers=_headers(address, _key(probe, context, address)))
        self._on_clock = context.identity.on_clock
        self._clock_due = 0.0
        self._kept = KeptConnection(
            address,
            ca=options.text(given, "ca") or None,
            reach=context.reach,
            family=options.text(given, "family", "any"),
        )

    def ask(self, ping_id: str, deadline: Deadline) -> Exchange:
        body = {"timestamp_start": instant_text(time.time()), "source": self._source, "ping_id": ping_id}
        request = http1.with_body(self._head, encode(body))
        return self._kept.exchange("POST", request, deadline=deadline, max_body_bytes=_MAX_ANSWER_BYTES)

    def failed(self, ping_id: str, outcome: str, connect_ms: float | None = None) -> Ping:
        return Ping(ping_id, outcome, None, connect_ms, None, self._source, self._target)

    def arrived(self, ping_id: str, exchange: Exchange) -> Ping:
        answer = decode(exchange.response.body)
        processing_ms = _number(answer.get("processing_time_ms"))
        trip_ms = (exchange.response.first_byte_at - exchange.sent_at) * 1_000
        self._observe_clock(answer, trip_ms, exchange)
        rtt_ms = round(max(trip_ms - (processing_ms or 0.0), 0.0), 3)
        return Ping(ping_id, "ok", rtt_ms, exchange.connect_ms, processing_ms, self._source, self._target)

    def _observe_clock(self, answer: dict[str, Any], trip_ms: float, exchange: Exchange) -> None:
        now = time.monotonic()
        if self._on_clock is None or now < self._clock_due:
            return
        self._clock_due = now + _CLOCK_EVERY_S
        try:
            received_ms = parse_instant_ms(answer["timestamp_received"])
            answered_ms = parse_instant_ms(answer["timestamp_processed"])
        except (KeyError, ValueError, TypeError, AttributeError):
            return
        arrived_ms = time.time() * 1_000 - (now - exchange.response.first_byte_at) * 1_000
        self._on_clock(arrived_ms - trip_ms, received_ms, answered_ms, arrived_ms)


def _source(own: dict[str, str], given: dict[str, Any]) -> dict[str, str]:
    source = {**own, **{name: str(value) for name, value in given.items()}}
    return {name: source.get(name) or "unknown" for name in ("location", "datacenter", "country")}


def _key(probe: Probe, context: Context, address: http1.Address) -> str:
    """The agent's own key goes to its own hub only."""
    if "key" in probe.secrets:
        return probe.secrets["key"]
    return context.identity.key if address.origin == context.identity.hub_origin else ""


def _headers(address: http1.Address, key: str) -> http1.Headers:
    headers = [
        ("Host", address.authority),
        ("User-Agent", f"atalaia-agent/{__version__}"),
        ("Content-Type", "application/json"),
    ]
    return [*headers, ("X-API-Key", key)] if key else headers


def _outcome_of(failure: Exception) -> str:
    if isinstance(failure, TimeoutError):
        return "timeout"
    if isinstance(failure, OSError):
        return "connection_error"
    return "connection_error" if getattr(failure, "code", "") in _CONNECTION_ERRORS else "unknown_error"


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
