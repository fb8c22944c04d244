"""What pages show of a check: rows, charts, marks."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import msgspec

from atalaia.core.clock import to_ms
from atalaia.core.translations import N_
from atalaia.watch.model.checks import CheckKind
from atalaia.watch.model.reasons import Reason
from atalaia.watch.model.states import CheckState
from atalaia.watch.model.uptime import Day, days, uptime
from atalaia.watch.model.values import Check, Span, TimelineEvent

ROW_DAYS = 30
MAX_PLACES = 12  # lines of one chart that can still be told apart
_DURATION = "probe_duration_seconds"
state_words = {
    CheckState.UP: N_("Up"),
    CheckState.DEGRADED: N_("Degraded"),
    CheckState.DOWN: N_("Down"),
    CheckState.PAUSED: N_("Paused"),
    CheckState.MAINTENANCE: N_("Maintenance"),
    CheckState.UNKNOWN: N_("Unknown"),
}
_PHASES = {
    CheckKind.HTTP: (
        ("dns", N_("DNS")),
        ("connect", N_("Connect")),
        ("tls", N_("TLS")),
        ("first_byte", N_("First byte")),
        ("transfer", N_("Transfer")),
    ),
    CheckKind.TLS: (("dns", N_("DNS")), ("connect", N_("Connect")), ("tls", N_("TLS"))),
    CheckKind.TCP: (("dns", N_("DNS")), ("connect", N_("Connect"))),
    CheckKind.POSTGRESQL: (("connect", N_("Connect")), ("query", N_("Query"))),
    CheckKind.MYSQL: (("connect", N_("Connect")), ("query", N_("Query"))),
}
PHASE_WORDS = {name: words for phases in _PHASES.values() for name, words in phases}
Translate = Callable[[str], str]


class Row(msgspec.Struct, frozen=True):
    id: str
    name: str
    state: CheckState
    kind: CheckKind
    target: str
    days: list[Day]
    uptime: float | None
    latency_ms: float | None
    error: str | None
    seen_at: datetime | None
    since_at: datetime
    labels: dict[str, str]


def row_of(
    check: Check, spans: Sequence[Span], *, now: datetime, timezone: ZoneInfo, why: Callable[[str | None], Reason]
) -> Row:
    is_bad = check.state in {CheckState.DOWN, CheckState.DEGRADED}
    return Row(
        id=check.id,
        name=check.spec.name,
        state=check.state,
        kind=check.spec.kind,
        target=check.spec.target,
        days=days(spans, now=now, timezone=timezone, count=ROW_DAYS),
        uptime=uptime(spans, now - timedelta(days=ROW_DAYS), now),
        latency_ms=check.last_ms,
        error=why(check.last_error).line if is_bad else None,
        seen_at=check.last_at,
        since_at=check.since_at,
        labels=check.spec.labels,
    )


def charts_of(
    check: Check, translate: Translate, *, places: Sequence[str], chosen: str | None = None
) -> list[dict[str, Any]]:
    """Latency by percentiles, and by phases where the probe tells them apart.

    `places` are names of agents. Of several, latency shows one line each until one is `chosen`; phases add up to a whole
    for one place only, so they are of the chosen one, else of the first.
    """
    if check.spec.kind is CheckKind.HEARTBEAT:
        run = _series("heartbeat_run_seconds", {"check": check.id}, "max")
        return [_chart("runs", translate("Duration of runs"), [{"label": translate("Longest"), "src": run}])]
    one = chosen or (places[0] if len(places) > 1 else None)
    if len(places) > 1 and chosen is None:
        latency = [_percentile(check, "p95", place, name=f"p95 · {place}") for place in places[:MAX_PLACES]]
    else:
        latency = [_percentile(check, name, chosen, name=name) for name in ("p50", "p95", "p99")]
    charts = [_chart("latency", translate("Latency"), latency, note=chosen or "")]
    phases = [
        {"label": translate(label), "src": _series(_DURATION, _labels(check, phase, one), "avg"), "stack": True}
        for phase, label in _PHASES.get(check.spec.kind, ())
    ]
    return [*charts, _chart("phases", translate("Phases"), phases, note=one or "")] if phases else charts


def _percentile(check: Check, aggregation: str, place: str | None, *, name: str) -> dict[str, Any]:
    return {"label": name, "src": _series(_DURATION, _labels(check, "total", place), aggregation)}


def _labels(check: Check, phase: str, place: str | None) -> dict[str, str]:
    return {"check": check.id, "phase": phase} | ({"agent": place} if place else {})


def _chart(name: str, title: str, series: list[dict[str, Any]], *, note: str = "") -> dict[str, Any]:
    return {"id": name, "title": title, "series": series, "note": note}


def _series(metric: str, labels: dict[str, str], aggregation: str) -> str:
    selectors = msgspec.json.encode(labels).decode()  # names of agents may have commas and quotes in them
    return "/api/series/query?" + urlencode({"metric": metric, "labels": selectors, "agg": aggregation})


def marks_of(events: Sequence[TimelineEvent]) -> list[dict[str, Any]]:
    """Changes of state, drawn into the charts."""
    changes = [event for event in events if event.kind == "state" and event.data.get("before") != "unknown"]
    return [{"at": to_ms(event.at), "label": event.data["after"], "state": event.data["after"]} for event in changes]
