"""Who may do what: one table, which every route names a value of.

People have a role; API keys have scopes. Both come down to a set of permissions, held by a `Principal`.
"""

from dataclasses import dataclass, field
from enum import StrEnum


class Permission(StrEnum):
    PUBLIC = "public"  # no account needed
    OWN_ACCOUNT = "own_account"  # any signed-in person
    DASHBOARDS_READ = "dashboards.read"  # what an integration shows to everybody who is signed in
    DASHBOARDS_WRITE = "dashboards.write"  # what people keep there: residents, tariffs, reports
    OVERVIEW_READ = "overview.read"
    CHECKS_READ = "checks.read"
    CHECKS_WRITE = "checks.write"
    INCIDENTS_READ = "incidents.read"
    INCIDENTS_WRITE = "incidents.write"
    CHANNELS_READ = "channels.read"
    CHANNELS_WRITE = "channels.write"
    METRICS_READ = "metrics.read"
    METRICS_WRITE = "metrics.write"
    PINGS_WRITE = "pings.write"
    AGENTS_READ = "agents.read"
    AGENTS_WRITE = "agents.write"
    AGENT_WORK = "agent.work"
    KEYS_ADMIN = "keys.admin"
    PEOPLE_ADMIN = "people.admin"
    AUDIT_READ = "audit.read"
    SETTINGS_READ = "settings.read"
    SETTINGS_WRITE = "settings.write"
    LOGS_READ = "logs.read"  # the hub's own
    JOBS_READ = "jobs.read"
    JOBS_CREATE = "jobs.create"  # start, cancel, retry
    JOBS_WORK = "jobs.work"
    SIGNALS_READ = "signals.read"
    SIGNALS_WRITE = "signals.write"  # make, change, drop, run by hand
    SIGNALS_SEND = "signals.send"  # of a key; which signals, its scopes say
    TRADING_READ = "trading.read"
    TRADING_WRITE = "trading.write"  # accounts at an exchange, operations, panic
    UPSTREAMS_READ = "upstreams.read"  # state, records, captures
    UPSTREAMS_WRITE = "upstreams.write"  # token by hand, breaker, captures


class Role(StrEnum):
    ADMIN = "ADMIN"
    AGENT = "AGENT"  # a technician, as the service desk calls them
    MANAGER = "MANAGER"
    COLLABORATOR = "COLLABORATOR"
    CLIENT = "CLIENT"
    MACHINE = "MACHINE"


_P = Permission
_READ = frozenset(
    {
        _P.DASHBOARDS_READ,
        _P.OVERVIEW_READ,
        _P.CHECKS_READ,
        _P.INCIDENTS_READ,
        _P.CHANNELS_READ,
        _P.METRICS_READ,
        _P.AGENTS_READ,
        _P.JOBS_READ,
        _P.SIGNALS_READ,
        _P.TRADING_READ,
        _P.UPSTREAMS_READ,
    }
)
_WRITE = frozenset({_P.CHECKS_WRITE, _P.INCIDENTS_WRITE, _P.CHANNELS_WRITE, _P.DASHBOARDS_WRITE})

ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.ADMIN: frozenset(set(_P) - {_P.AGENT_WORK, _P.PINGS_WRITE, _P.METRICS_WRITE, _P.JOBS_WORK, _P.SIGNALS_SEND}),
    Role.AGENT: frozenset({_P.PUBLIC, _P.OWN_ACCOUNT, _P.AGENTS_WRITE, _P.JOBS_CREATE, _P.SETTINGS_READ})
    | _READ
    | _WRITE,
    Role.MANAGER: frozenset({_P.PUBLIC, _P.OWN_ACCOUNT, _P.DASHBOARDS_WRITE})
    | (_READ - {_P.CHANNELS_READ, _P.AGENTS_READ}),
    Role.COLLABORATOR: frozenset({_P.PUBLIC, _P.OWN_ACCOUNT, _P.DASHBOARDS_READ}),
    Role.CLIENT: frozenset({_P.PUBLIC, _P.OWN_ACCOUNT, _P.DASHBOARDS_READ}),
    Role.MACHINE: frozenset({_P.PUBLIC}),
}

SCOPE_PERMISSIONS: dict[str, frozenset[Permission]] = {
    "agent": frozenset({_P.AGENT_WORK, _P.PINGS_WRITE}),
    "ingest": frozenset({_P.PINGS_WRITE, _P.METRICS_WRITE}),
    "read": _READ | {_P.AUDIT_READ, _P.SETTINGS_READ},
    "write": _READ | _WRITE | {_P.AGENTS_WRITE, _P.SIGNALS_WRITE},
    "jobs:create": frozenset({_P.JOBS_CREATE}),
    "jobs:work": frozenset({_P.JOBS_WORK}),
    "trading": frozenset({_P.TRADING_READ, _P.TRADING_WRITE}),  # of its own: a key for checks moves no money
    "admin": frozenset(set(_P) - {_P.OWN_ACCOUNT}),
}
SIGNAL_SCOPE_PREFIX = "signal:"


def is_scope(name: str) -> bool:
    return name in SCOPE_PERMISSIONS or (name.startswith(SIGNAL_SCOPE_PREFIX) and len(name) > len(SIGNAL_SCOPE_PREFIX))


def permissions_of_scopes(scopes: frozenset[str]) -> frozenset[Permission]:
    granted: set[Permission] = {_P.PUBLIC}
    for scope in scopes:
        granted |= SCOPE_PERMISSIONS.get(scope, frozenset())
        if scope.startswith(SIGNAL_SCOPE_PREFIX):
            granted.add(_P.SIGNALS_SEND)
    return frozenset(granted)


def may_signal(principal: "Principal", name: str) -> bool:
    """Whether it may send this signal: a key made for it, or one with the scope admin."""
    scopes = principal.scopes
    return f"{SIGNAL_SCOPE_PREFIX}{name}" in scopes or "admin" in scopes


@dataclass(frozen=True, slots=True)
class Principal:
    """The person or key behind a request; `id` never changes, `name` may."""

    id: str
    kind: str  # "person" | "key" | "system"
    name: str
    permissions: frozenset[Permission]
    role: Role | None = None
    scopes: frozenset[str] = field(default_factory=frozenset)
    session_id: str | None = None
    locale: str | None = None
    timezone: str | None = None
    theme: str | None = None

    def may(self, permission: Permission) -> bool:
        return permission in self.permissions


SYSTEM = Principal(id="system", kind="system", name="Atalaia", permissions=frozenset(Permission))
