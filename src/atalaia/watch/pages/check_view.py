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
from atalaia.watch.model.states import CheckState
from atalaia.watch.model.uptime import Day, days, uptime
from atalaia.watch.model.values import Check, Span, TimelineEvent

ROW_DAYS = 30
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


def row_of(check: Check, spans: Sequence[Span], *, now: datetime, timezone: ZoneInfo) -> Row:
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
        error=check.last_error if is_bad else None,
        seen_at=check.last_at,
        since_at=check.since_at,
        labels=check.spec.labels,
    )


def charts_of(check: Check, translate: Translate) -> list[dict[str, Any]]:
    """Latency by percentiles, and by phases where the probe tells them apart."""
    if check.spec.kind is CheckKind.HEARTBEAT:
        run = _series("heartbeat_run_seconds", f"check={check.id}", "max")
        return [_chart("runs", translate("Duration of runs"), [{"label": translate("Longest"), "src": run}])]
    total = f"check={check.id},phase=total"
    percentiles = [
        {"label": name, "src": _series("probe_duration_seconds", total, name)} for name in ("p50", "p95", "p99")
    ]
    charts = [_chart("latency", translate("Latency"), percentiles)]
    phases = [
        {
            "label": translate(label),
            "src": _series("probe_duration_seconds", f"check={check.id},phase={phase}", "avg"),
            "stack": True,
        }
        for phase, label in _PHASES.get(check.spec.kind, ())
    ]
    return [*charts, _chart("phases", translate("Phases"), phases)] if phases else charts


def _chart(name: str, title: str, series: list[dict[str, Any]]) -> dict[str, Any]:
    return {"id": name, "title": title, "series": series}


def _series(metric: str, labels: str, aggregation: str) -> str:
    return "/api/series/query?" + urlencode({"metric": metric, "labels": labels, "agg": aggregation})


def marks_of(events: Sequence[TimelineEvent]) -> list[dict[str, Any]]:
    """Changes of state, drawn into the charts."""
    changes = [event for event in events if event.kind == "state" and event.data.get("before") != "unknown"]
    return [{"at": to_ms(event.at), "label": event.data["after"], "state": event.data["after"]} for event in changes]
