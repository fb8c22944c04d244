"""What a check is, as people and scripts write it, and whether it makes sense."""

import re
from collections.abc import Iterable
from enum import StrEnum
from typing import Any

import msgspec

from atalaia.core.errors import InvalidField
from atalaia.notify.model.severity import Severity
from atalaia.watch.model.options import OPTIONS, SECRETS, TARGET_FREE
from atalaia.watch.model.places import WINDOW_MAX
from atalaia.watch.model.standing import HEARTBEAT_PLACE, Policy, flap_successes


class CheckKind(StrEnum):
    HTTP = "http"
    TCP = "tcp"
    ICMP = "icmp"
    DNS = "dns"
    TLS = "tls"
    POSTGRESQL = "postgresql"
    MYSQL = "mysql"
    HOST = "host"
    PROMETHEUS = "prometheus"
    HEARTBEAT = "heartbeat"


INTERVAL_MIN_S, INTERVAL_MAX_S = 0.1, 86_400.0
PERIOD_MAX_S = 366 * 86_400.0
LABELS_MAX = 32
NAME_MAX, TARGET_MAX, TEXT_MAX = 200, 2000, 20_000
AGENTS_MAX = 50
PORT_MAX = 65_535
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_HEADER = re.compile(r"header:[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_SERVER_END = re.compile(r"[/?#\\]")
_LABEL_NAME = re.compile(r"[A-Za-z0-9_-]{1,100}")


class CheckSpec(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A check's own settings: the body of POST /api/checks and what PATCH changes.

    `agents` are names or ids; none: the hub picks one. `secrets` are never given back.
    """

    name: str
    kind: CheckKind
    target: str = ""
    interval_s: float = 30.0
    timeout_s: float = 10.0
    failures_to_down: int | None = None
    failures_window: int | None = None
    successes_to_up: int = 1
    degraded_ms: float | None = None
    quorum: int | None = None
    flap_changes: int | None = None
    agents: list[str] = []
    labels: dict[str, str] = {}
    options: dict[str, Any] = {}
    secrets: dict[str, str] = {}
    period_s: float | None = None
    grace_s: float | None = None
    severity: Severity = Severity.CRITICAL
    runbook: str = ""
    paused: bool = False

    def policy(self, *, places: tuple[str, ...]) -> Policy:
        """`places` are the ids of the agents that measure it at present."""
        is_heartbeat = self.kind is CheckKind.HEARTBEAT
        failures = self.failures_to_down or (1 if is_heartbeat else DEFAULT_FAILURES_TO_DOWN)
        flap_default = 0 if is_heartbeat else DEFAULT_FLAP_CHANGES
        return Policy(
            places=(HEARTBEAT_PLACE,) if is_heartbeat else places,
            failures_to_down=failures,
            failures_window=max(failures, self.failures_window or failures),
            successes_to_up=self.successes_to_up,
            degraded_ms=self.degraded_ms,
            quorum=self.quorum,
            flap_changes=flap_default if self.flap_changes is None else self.flap_changes,
            flap_successes=flap_successes(self.interval_s),
            period_ms=round((self.period_s or 0) * 1000),
            grace_ms=round((self.grace_s or 0) * 1000),
        )


# One lost packet is not an outage; two in a row are worth waking somebody.
DEFAULT_FAILURES_TO_DOWN = 2
DEFAULT_FLAP_CHANGES = 6
DEFAULT_GRACE_S = 60.0


def checked(spec: CheckSpec) -> CheckSpec:
    """The spec with its gaps filled.

    Raises:
        InvalidField: the first field that makes no sense, by name.
    """
    spec = msgspec.structs.replace(spec, name=spec.name.strip(), target=spec.target.strip())
    _check_texts(spec)
    _check_labels(spec)
    _check_deciding(spec)
    if spec.kind is CheckKind.HEARTBEAT:
        return _checked_heartbeat(spec)
    _check_timing(spec)
    _check_probe(spec)
    return spec


def _within(field: str, value: float | None, low: float, high: float) -> None:
    if value is not None and not low <= value <= high:
        raise InvalidField(field, "Must be between {low} and {high}.", low=f"{low:g}", high=f"{high:g}")


def _check_texts(spec: CheckSpec) -> None:
    if not spec.name:
        raise InvalidField("name", "Give the check a name.")
    for field, limit in (("name", NAME_MAX), ("target", TARGET_MAX), ("runbook", TEXT_MAX)):
        if len(getattr(spec, field)) > limit:
            raise InvalidField(field, "At most {limit} characters.", limit=limit)
    for field in ("name", "target"):
        if _CONTROL.search(getattr(spec, field)):
            raise InvalidField(field, "Control characters are not possible here.")
    if "\0" in spec.runbook:
        raise InvalidField("runbook", "Control characters are not possible here.")


def _check_labels(spec: CheckSpec) -> None:
    if len(spec.labels) > LABELS_MAX:
        raise InvalidField("labels", "At most {limit} labels.", limit=LABELS_MAX)
    for key, value in spec.labels.items():
        if not _LABEL_NAME.fullmatch(key):
            raise InvalidField("labels", "A label's name has letters, digits, - and _ only.")
        if len(value) > NAME_MAX or "\0" in value:
            raise InvalidField("labels", "At most {limit} characters.", limit=NAME_MAX)


def _check_deciding(spec: CheckSpec) -> None:
    _within("failures_to_down", spec.failures_to_down, 1, WINDOW_MAX)
    _within("failures_window", spec.failures_window, 1, WINDOW_MAX)
    _within("successes_to_up", spec.successes_to_up, 1, WINDOW_MAX)
    _within("degraded_ms", spec.degraded_ms, 0.001, 3_600_000)
    _within("flap_changes", spec.flap_changes, 0, 20)
    _within("quorum", spec.quorum, 1, AGENTS_MAX)
    failures = spec.failures_to_down or 1
    if spec.failures_window is not None and spec.failures_window < failures:
        raise InvalidField("failures_window", "Must be at least failures_to_down: n failures of the last m.")


def _checked_heartbeat(spec: CheckSpec) -> CheckSpec:
    if spec.period_s is None:
        raise InvalidField("period_s", "A heartbeat needs the period in which a ping is awaited.")
    for field, is_given in (("agents", spec.agents), ("options", spec.options), ("secrets", spec.secrets)):
        if is_given:
            raise InvalidField(field, "A heartbeat is pushed to the hub: it has none of these.")
    grace_s = DEFAULT_GRACE_S if spec.grace_s is None else spec.grace_s
    _within("period_s", spec.period_s, 0.5, PERIOD_MAX_S)
    _within("grace_s", grace_s, 0, PERIOD_MAX_S)
    return msgspec.structs.replace(spec, target="", grace_s=grace_s)


def _check_timing(spec: CheckSpec) -> None:
    for field in ("period_s", "grace_s"):
        if getattr(spec, field) is not None:
            raise InvalidField(field, "Only a heartbeat has a period and a grace.")
    _within("interval_s", spec.interval_s, INTERVAL_MIN_S, INTERVAL_MAX_S)
    _within("timeout_s", spec.timeout_s, 0.05, 300)


def _check_probe(spec: CheckSpec) -> None:
    if not spec.target and spec.kind not in TARGET_FREE:
        raise InvalidField("target", "Say what is to be watched.")
    _check_target(spec.kind, spec.target)
    _check_agents(spec)
    _check_options(spec)
    _check_secrets(spec)


def _check_target(kind: CheckKind, target: str) -> None:
    scheme = target.partition("://")[0].lower() if "://" in target else ""
    if kind in {CheckKind.HTTP, CheckKind.PROMETHEUS} and (
        scheme not in {"http", "https"} or " " in target or not target.partition("://")[2].lstrip("/")
    ):
        raise InvalidField("target", "An address that begins with http:// or https://.")
    if kind is CheckKind.TCP and not _has_port(target):
        raise InvalidField("target", "A host and a port, such as db.example.com:5432.")
    if kind in {CheckKind.ICMP, CheckKind.DNS} and (scheme or "/" in target or " " in target):
        raise InvalidField("target", "A host name or an address, nothing else.")
    if (
        kind in {CheckKind.POSTGRESQL, CheckKind.MYSQL}
        and "@" in target
        and ":" in target.partition("@")[0].partition("://")[2]
    ):
        raise InvalidField("target", "Leave the password out of the address: it goes into secrets.")


def _has_port(target: str) -> bool:
    host, _, port = target.rpartition(":")
    return bool(host) and port.isdecimal() and 0 < int(port) <= PORT_MAX and " " not in target


def _check_agents(spec: CheckSpec) -> None:
    if len(spec.agents) > AGENTS_MAX:
        raise InvalidField("agents", "At most {limit} agents.", limit=AGENTS_MAX)
    if len(set(spec.agents)) != len(spec.agents) or not all(spec.agents):
        raise InvalidField("agents", "Each agent once, by name or id.")
    if spec.secrets and not spec.agents:
        raise InvalidField("agents", "A check that holds a secret must name its agents.")
    if spec.quorum is not None and spec.quorum > max(1, len(spec.agents)):
        raise InvalidField("quorum", "More than there are agents.")


def _check_options(spec: CheckSpec) -> None:
    shape = OPTIONS[spec.kind.value]
    try:
        msgspec.convert(spec.options, shape)
    except msgspec.ValidationError as error:
        why, _, path = str(error).partition(" - at `$")
        raise InvalidField(f"options{path.rstrip('`')}", "{why}.", why=why) from error


def _check_secrets(spec: CheckSpec) -> None:
    known = SECRETS.get(spec.kind.value, frozenset())
    for name, value in spec.secrets.items():
        if name not in known and not ("header:" in known and _HEADER.fullmatch(name)):
            raise InvalidField(
                f"secrets.{name}", "Not a secret of this kind. Known: {known}.", known=", ".join(sorted(known)) or "-"
            )
        if len(value) > TEXT_MAX or "\0" in value:
            raise InvalidField(f"secrets.{name}", "At most {limit} characters.", limit=TEXT_MAX)


def check_kept(before: CheckSpec, after: CheckSpec, *, kept: Iterable[str]) -> None:
    """Secrets that a change leaves as they are go to nobody else: who may change checks must not read them on a server of his own.

    Raises:
        InvalidField: target.
    """
    names = ", ".join(sorted(kept))
    if names and _receiver(before) != _receiver(after):
        raise InvalidField(
            "target",
            "Secrets are kept for the server that they were given for. For another one give them anew, or take them away: {names}.",
            names=names,
        )


def _receiver(spec: CheckSpec) -> tuple[str, ...]:
    """Of an address its server; any part of another target may name one."""
    if spec.kind not in {CheckKind.HTTP, CheckKind.PROMETHEUS}:
        return spec.kind, spec.target
    scheme, _, rest = spec.target.lower().partition("://")
    return spec.kind, scheme, _SERVER_END.split(rest, maxsplit=1)[0]
