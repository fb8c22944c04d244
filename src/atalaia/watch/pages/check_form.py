"""The form of a check: what is typed to a CheckSpec's fields, and back."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from atalaia.core.errors import InvalidField
from atalaia.core.translations import N_
from atalaia.watch.model.checks import CheckKind, CheckSpec
from atalaia.watch.model.values import Check

# Options that have a field of their own, by kind; the others are one JSON object.
FIELDS: dict[str, tuple[str, ...]] = {
    "http": ("method", "expect_status", "body_contains", "warn_days"),
    "tcp": ("send", "expect"),
    "icmp": ("count",),
    "dns": ("record", "expect", "resolver"),
    "tls": ("warn_days",),
    "postgresql": ("query", "expect"),
    "mysql": ("query", "expect"),
}
_NUMBERS = frozenset({"warn_days", "count"})
_WHOLE = ("failures_to_down", "failures_window", "successes_to_up", "quorum", "flap_changes")
_DECIMAL = ("interval_s", "timeout_s", "degraded_ms", "period_s", "grace_s")
_SECRETS = ("username", "password", "token")

KINDS = (
    (CheckKind.HTTP, N_("HTTP"), N_("An address answers as it should")),
    (CheckKind.HEARTBEAT, N_("Heartbeat"), N_("A job reports that it ran")),
    (CheckKind.TCP, N_("TCP"), N_("A port takes connections")),
    (CheckKind.ICMP, N_("Ping"), N_("A host answers echo requests")),
    (CheckKind.DNS, N_("DNS"), N_("A name has the right answer")),
    (CheckKind.TLS, N_("Certificate"), N_("Valid, for this name, and for how long")),
    (CheckKind.POSTGRESQL, N_("PostgreSQL"), N_("A query is answered")),
    (CheckKind.MYSQL, N_("MySQL, MariaDB"), N_("A query is answered")),
    (CheckKind.HOST, N_("Host"), N_("Processor, memory, disks of the agent's machine")),
    (CheckKind.PROMETHEUS, N_("Prometheus"), N_("Reads an exposition address")),
)
NEW = CheckSpec(name="", kind=CheckKind.HTTP, target="")


def values_of(spec: CheckSpec, *, agents: Sequence[str] = ()) -> dict[str, Any]:
    """What the form shows; `agents` are the ids that are ticked."""
    options = dict(spec.options)
    own = {name: _as_text(options.pop(name)) for name in FIELDS.get(spec.kind, ()) if name in options}
    values: dict[str, Any] = {name: _as_text(getattr(spec, name)) for name in (*_WHOLE, *_DECIMAL)}
    values |= {
        "name": spec.name,
        "kind": str(spec.kind),
        "target": spec.target,
        "severity": str(spec.severity),
        "runbook": spec.runbook,
        "labels": "\n".join(f"{name}={value}" for name, value in spec.labels.items()),
        "agents": list(agents),
        "more_options": json.dumps(options, ensure_ascii=False, indent=2) if options else "",
    }
    return values | own


def values_of_check(check: Check) -> dict[str, Any]:
    return values_of(check.spec, agents=check.spec.agents)


def typed_values(form: Mapping[str, Any], agents: Sequence[str]) -> dict[str, Any]:
    """The form as it was sent, to be shown again."""
    return {**{name: str(value) for name, value in form.items() if name not in _SECRETS}, "agents": list(agents)}


def fields_of(form: Mapping[str, Any], agents: Sequence[str]) -> dict[str, Any]:
    """Fields of CheckSpec. Secrets that were left empty are not among them.

    Raises:
        InvalidField: something that is no number, no label or no JSON.
    """
    kind = str(form.get("kind", ""))
    fields: dict[str, Any] = {
        "name": form.get("name", ""),
        "kind": kind,
        "severity": form.get("severity") or "critical",
        "runbook": form.get("runbook", ""),
        "labels": _labels(str(form.get("labels", ""))),
    }
    fields |= {name: _number(form, name, whole=True) for name in _WHOLE if name in form}
    if kind == CheckKind.HEARTBEAT:
        return fields | {name: _number(form, name) for name in ("period_s", "grace_s", "degraded_ms") if name in form}
    fields |= {name: _number(form, name) for name in ("interval_s", "timeout_s", "degraded_ms") if name in form}
    fields |= {"target": form.get("target", ""), "agents": list(agents), "options": _options(kind, form)}
    secrets = {name: str(form[name]) for name in _SECRETS if form.get(name)}
    return fields | ({"secrets": secrets} if secrets else {})


def spec_of(fields: Mapping[str, Any]) -> CheckSpec:
    """Raises msgspec.ValidationError, which names the field."""
    return msgspec.convert({name: value for name, value in fields.items() if value is not None}, CheckSpec)


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _number(form: Mapping[str, Any], name: str, *, whole: bool = False) -> float | None:
    text = str(form.get(name, "")).strip().replace(",", ".")
    if not text:
        return None
    try:
        return int(text) if whole else float(text)
    except ValueError:
        raise InvalidField(name, N_("Must be a number.")) from None


def _labels(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in filter(None, (line.strip() for line in text.splitlines())):
        name, is_there, value = line.partition("=")
        if not is_there:
            raise InvalidField("labels", N_("One label a line: name=value."))
        found[name.strip()] = value.strip()
    return found


def _options(kind: str, form: Mapping[str, Any]) -> dict[str, Any]:
    options = _more_options(str(form.get("more_options", "")).strip())
    for name in FIELDS.get(kind, ()):
        text = str(form.get(name, "")).strip()
        if text:
            options[name] = _number(form, name, whole=name == "count") if name in _NUMBERS else text
    return options


def _more_options(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text) if text else {}
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise InvalidField("more_options", N_('A JSON object, such as {"verify_tls": false}.'))
    return found
