"""What agent and hub say to each other, version 1.

All requests are JSON in UTF-8 with `Authorization: Bearer <key>` (scope `agent`); bodies over 1 kB go as gzip. Errors are
`{"error": {"code", "message", "hint", "request_id"}}`. All instants are milliseconds since the epoch by the clock of the
side that writes them; a measurement's `at` is the instant at which it began.

`POST /api/agents/enrol` (no key) `{"token", "name", "hostname"}` → 201 `{"agent_id", "name", "key"}`; 401 for a bad token.

`POST /api/agents/plan` `{"agent": AGENT, "etag": "…"|null, "wait_s": 0..25}` → 200 `{"etag", "agent_id", "name",
"server_time", "settings": {"report_interval_s", "plan_wait_s"}, "probes": [PROBE…], "tries": [TRY…]}`, or 204 when nothing
changed within `wait_s`. Without an etag the answer comes at once. A try is a probe with a `try_id`, run once and at once; the
hub may repeat it until the result is there, the agent runs it once.

`POST /api/agents/records` `{"agent": AGENT, "spool": {"id", "first_seq", "last_seq"}, "status": STATUS, "sent_at",
"records": [RECORD…]}` → 200 `{"accepted", "duplicates", "last_seq", "server_time"}` after the commit; beside these
`"rejected": [{"seq", "why"}…]` where the hub failed on some and took the rest, which are then kept apart. Records stand in order of
`seq`, which may have gaps and never comes twice within one spool id; the hub keeps a high-water mark for each (agent, spool
id), so that a batch sent again counts once. An agent may send under a second spool id: after its state was damaged, or
while its disk is full and records wait in memory. A batch holds at most 1,000 records or 1 MB and may be empty.

    AGENT   {"name", "hostname", "version", "python", "platform", "pid", "incarnation", "started_at"}
    PROBE   {"id", "kind", "target", "interval_s", "timeout_s", "options", "secrets", "labels"}
    STATUS  {"spool_records", "spool_bytes", "dropped_total", "rejected_total", "torn_total", "spool_error": str|null,
             "clock_offset_ms": num|null (hub's clock less the agent's), "line": "up|down|unknown", "rss_bytes", "cpu_s",
             "probes_running", "late_total"}
    result  {"t": "result", "seq", "probe", "at", "ok", "degraded", "outcome": "ok|fail|timeout|error", "error", "message",
             "ms", "phases", "data", "line", "try_id"?}
    ping    {"t": "ping", "seq", "probe": id|null, "ping_id", "at", "outcome": "ok|http_<code>|timeout|connection_error|
             unknown_error", "rtt_ms", "connect_ms", "processing_ms", "source", "target"}
    samples {"t": "samples", "seq", "probe", "at", "labels", "samples": [["metric", {"label": "value"}, number]…]}

What the answers to a records batch mean: 200 delete from the spool what it covers; 400 and 422 the batch is wrong: it is
halved until the one wrong record is alone, which is set aside on disk and counted; 413 halve; 401 and 403 say it
once and ask again every 60 s; everything else (408, 429, 5xx, a proxy's 404) keep it and try again with backoff. A batch
that is answered five times with 500 (or another 5xx but 502, 503, 504 and 507) is halved in the same way, and the
record that is alone in the end is set aside if an empty batch is taken (`suspicion`).

`POST /api/ping` (kept format), header `X-API-Key`, body `{"timestamp_start", "source", "ping_id"}` → 200 `{"status",
"ping_id", "timestamp_received", "timestamp_processed", "processing_time_ms", "network_rtt_ms": null, "message"}`.
"""

from __future__ import annotations

import os
import time
from typing import Any, NamedTuple

Json = dict[str, Any]

PLAN_PATH = "/api/agents/plan"
RECORDS_PATH = "/api/agents/records"
ENROL_PATH = "/api/agents/enrol"
PING_PATH = "/api/ping"

MAX_BATCH_RECORDS = 1_000
MAX_BATCH_BYTES = 950_000  # leaves room for the envelope in 1 MB
MAX_PLAN_WAIT_S = 25.0
GZIP_FROM_BYTES = 1_024

MIN_INTERVAL_S = 0.2
MIN_TIMEOUT_S = 0.1


class WireError(ValueError):
    """The other side said something that is not of this protocol."""


class Probe(NamedTuple):
    id: str
    kind: str
    target: str
    interval_s: float
    timeout_s: float
    options: Json
    secrets: dict[str, str]
    labels: dict[str, str]
    try_id: str | None = None


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def new_uuid() -> str:
    """A random UUID (RFC 9562, version 4); the module for it brings others that an agent has no use for."""
    data = bytearray(os.urandom(16))
    data[6], data[8] = data[6] & 0x0F | 0x40, data[8] & 0x3F | 0x80
    text = data.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def parse_probe(raw: Json) -> Probe:
    """Raises WireError, naming the field."""
    if not isinstance(raw, dict):
        raise WireError("a probe must be an object")
    interval_s = _number(raw, "interval_s", default=60.0, least=MIN_INTERVAL_S)
    return Probe(
        id=_text(raw, "id", default=raw.get("try_id") or ""),
        kind=_text(raw, "kind"),
        target=_text(raw, "target", default=""),
        interval_s=interval_s,
        timeout_s=_number(raw, "timeout_s", default=min(10.0, interval_s), least=MIN_TIMEOUT_S),
        options=_mapping(raw, "options"),
        secrets={name: str(value) for name, value in _mapping(raw, "secrets").items()},
        labels={name: str(value) for name, value in _mapping(raw, "labels").items()},
        try_id=raw.get("try_id"),
    )


def _text(raw: Json, field: str, *, default: str | None = None) -> str:
    value = raw.get(field)
    if value is None:
        value = default
    if not isinstance(value, str):
        raise WireError(f"{field} must be text")
    return value


def _number(raw: Json, field: str, *, default: float, least: float) -> float:
    value = raw.get(field)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise WireError(f"{field} must be a number")
    return max(float(value), least)


def _mapping(raw: Json, field: str) -> Json:
    value = raw.get(field)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise WireError(f"{field} must be an object")
    return value
