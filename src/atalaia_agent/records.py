"""Outcomes as the hub wants to hear them (wire.py). Pure."""

from __future__ import annotations

from math import isfinite
from typing import Any

from atalaia_agent.outcome import Outcome, Ping
from atalaia_agent.wire import Json, Probe

_SAMPLES_IN_ONE = 500


def make_records(probe: Probe, found: Outcome, *, at_ms: int, line: str, local_id: str) -> list[Json]:
    records: list[Json] = []
    if found.ping is not None:
        records.append(_ping(None if probe.id == local_id else probe.id, found.ping, at_ms))
    if found.samples and probe.try_id is None:
        starts = range(0, len(found.samples), _SAMPLES_IN_ONE)
        records += [_samples(probe, found.samples[start : start + _SAMPLES_IN_ONE], at_ms) for start in starts]
    if found.ping is None or probe.try_id is not None:
        records.append(_result(probe, found, at_ms=at_ms, line=line))
    return records


def _result(probe: Probe, found: Outcome, *, at_ms: int, line: str) -> Json:
    record: Json = {
        "t": "result",
        "probe": probe.id,
        "at": at_ms,
        "ok": found.is_ok,
        "degraded": found.is_degraded,
        "outcome": found.outcome,
        "error": found.error,
        "message": found.message,
        "ms": found.ms,
        "phases": found.phases,
        "data": found.data,
        "line": line,
    }
    if probe.try_id is not None:
        record["try_id"] = probe.try_id
    return record


def _ping(probe_id: str | None, ping: Ping, at_ms: int) -> Json:
    return {"t": "ping", "probe": probe_id, "at": at_ms, **ping._asdict()}


def _samples(probe: Probe, samples: list[Any], at_ms: int) -> Json:
    # JSON has no word for infinity; a gauge that holds it has nothing to draw either.
    finite = [sample for sample in samples if isfinite(sample[2])]
    return {"t": "samples", "probe": probe.id, "at": at_ms, "labels": probe.labels, "samples": finite}
