"""Reads an exposition address and keeps what is there as samples.

Target: an http(s) URL. Options: `names` (list of names or beginnings with `*`; default all), `labels` (added to each
sample), `max_samples` (5,000), `max_bytes` (5 MB), `limits` ({name: {"min": n, "max": n}}: a sample outside is a failed
result), and `headers`, `verify_tls`, `ca`, `family` and secrets as for `http`.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite
from typing import Any

from atalaia_agent import options
from atalaia_agent.failures import BadOption, ProbeError
from atalaia_agent.outcome import Outcome, Sample
from atalaia_agent.probes import Context
from atalaia_agent.probes.exposition import parse_exposition
from atalaia_agent.probes.http import fetch
from atalaia_agent.probes.http_plan import HttpPlan, read_plan
from atalaia_agent.wire import Probe

_MAX_BODY_BYTES = 5_000_000
_MAX_SAMPLES = 5_000
_ACCEPT = ("Accept", "text/plain;version=0.0.4;q=1,*/*;q=0.1")


def measure(probe: Probe, context: Context, found: Outcome) -> None:
    plan = context.remember("plan", lambda: _read(probe))
    response = fetch(plan, context, timeout_s=probe.timeout_s, found=found)
    if response.is_truncated:
        raise ProbeError("too_large", f"the answer has more than {plan.max_body_bytes} bytes")
    parsed, wrong = parse_exposition(response.body.decode("utf-8", "replace"))
    kept = list(_kept(parsed, probe.options))
    most = options.whole(probe.options, "max_samples", _MAX_SAMPLES, least=1, most=100_000)
    found.data |= {"samples": len(kept), "wrong_lines": len(wrong)}
    if len(kept) > most:
        raise ProbeError("too_many_samples", f"{len(kept)} samples, at most {most}; name the wanted ones in `names`")
    if wrong and not parsed:
        raise ProbeError("bad_response", f"not an exposition: line {wrong[0][0]}: {wrong[0][1]}")
    found.samples = kept
    _check_limits(probe, parsed)


def _read(probe: Probe) -> HttpPlan:
    plan = read_plan(probe)
    most = options.whole(probe.options, "max_bytes", _MAX_BODY_BYTES, most=50_000_000)
    has_accept = any(name.lower() == "accept" for name, _ in plan.headers)
    return plan._replace(max_body_bytes=most, headers=plan.headers if has_accept else [*plan.headers, _ACCEPT])


def _kept(parsed: list[Sample], given: dict[str, Any]) -> Iterator[Sample]:
    patterns = options.texts(given, "names")
    added = {name: str(value) for name, value in options.mapping(given, "labels").items()}
    exact = {pattern for pattern in patterns if not pattern.endswith("*")}
    beginnings = tuple(pattern[:-1] for pattern in patterns if pattern.endswith("*"))
    for name, labels, value in parsed:
        if isfinite(value) and (not patterns or name in exact or name.startswith(beginnings)):
            yield name, {**labels, **added} if added else labels, value


def _check_limits(probe: Probe, parsed: list[Sample]) -> None:
    limits = options.mapping(probe.options, "limits")
    troubles: list[str] = []
    for wanted, limit in limits.items():
        if not isinstance(limit, dict):
            raise BadOption("limits", f'{wanted} must be {{"min": number, "max": number}}')
        low = options.number(limit, "min", -1e300, least=-1e300, most=1e300)
        high = options.number(limit, "max", 1e300, least=-1e300, most=1e300)
        values = [value for name, _, value in parsed if name == wanted]
        troubles += [f"{wanted} is {value:g}" for value in values if not low <= value <= high]
        if not values:
            troubles.append(f"{wanted} is not there")
    if troubles:
        raise ProbeError("limit_exceeded", "; ".join(troubles[:10]))
