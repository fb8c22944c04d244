"""The options and secrets of each kind of probe, as the agent takes them (docstrings in atalaia_agent/probes).

`thresholds` are the hub's own: the agent never sees them.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

Text = Annotated[str, Meta(max_length=20_000)]
Days = Annotated[float, Meta(ge=0, le=3650)]
Statuses = int | str | list[int | str]


class _Options(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    family: Literal["any", "ipv4", "ipv6"] = "any"


class HttpOptions(_Options):
    """Up at 200 to 399 unless `expect_status` says otherwise ("200-299", [200, 204], "200,301")."""

    method: Annotated[str, Meta(pattern="^[A-Za-z]{1,20}$")] = "GET"
    headers: dict[str, Text] = {}
    body: Text | dict[str, Any] | list[Any] | None = None
    expect_status: Statuses | None = None
    follow_redirects: bool = True
    max_redirects: Annotated[int, Meta(ge=0, le=20)] = 10
    body_contains: Text | list[Text] | None = None
    body_not_contains: Text | list[Text] | None = None
    expect_headers: dict[str, Text | None] = {}
    json_path: Text | dict[str, Any] | None = None
    json_value: Any = None
    ca: Text | None = None
    verify_tls: bool = True
    max_body_bytes: Annotated[int, Meta(ge=0, le=50_000_000)] = 1_000_000
    warn_days: Days | None = None


class TcpOptions(_Options):
    send: Text | None = None
    expect: Text | None = None


class IcmpOptions(_Options):
    count: Annotated[int, Meta(ge=1, le=20)] = 3
    gap_s: Annotated[float, Meta(ge=0, le=10)] = 0.2
    max_loss_percent: Annotated[float, Meta(ge=0, le=100)] = 99


class DnsOptions(_Options):
    record: Literal["A", "AAAA", "CNAME", "MX", "TXT", "NS", "SOA", "SRV", "CAA", "PTR"] = "A"
    resolver: Text | None = None
    expect: Text | list[Text] | None = None


class TlsOptions(_Options):
    warn_days: Days = 14
    server_name: Text | None = None
    ca: Text | None = None


class PostgresqlOptions(_Options):
    query: Text = "SELECT 1"
    expect: Text | float | None = None
    user: Text | None = None
    database: Text | None = None


class MysqlOptions(PostgresqlOptions):
    tls: bool = False
    ca: Text | None = None


class Threshold(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A limit on samples of a host or prometheus check: those of `metric` with all of `labels`."""

    metric: Annotated[str, Meta(min_length=1, max_length=200)]
    labels: dict[str, str] = {}
    above: float | None = None
    below: float | None = None
    state: Literal["down", "degraded"] = "down"

    def is_broken_by(self, value: float) -> bool:
        return (self.above is not None and value > self.above) or (self.below is not None and value < self.below)


Thresholds = Annotated[list[Threshold], Meta(max_length=50)]


class HostOptions(_Options):
    thresholds: Thresholds = []
    disks: list[Text] | None = None
    units: list[Text] | bool | None = None
    pm2: bool | list[Text] | None = None
    containers: bool | list[Text] | Text | None = None
    logs: list[dict[str, Text]] | dict[str, Text] | None = None


class PrometheusOptions(_Options):
    thresholds: Thresholds = []
    names: list[Text] | Text | None = None
    labels: dict[str, Text] = {}
    max_bytes: Annotated[int, Meta(ge=1, le=50_000_000)] = 5_000_000
    headers: dict[str, Text] = {}
    ca: Text | None = None
    verify_tls: bool = True


OPTIONS: dict[str, type[msgspec.Struct]] = {
    "http": HttpOptions,
    "tcp": TcpOptions,
    "icmp": IcmpOptions,
    "dns": DnsOptions,
    "tls": TlsOptions,
    "postgresql": PostgresqlOptions,
    "mysql": MysqlOptions,
    "host": HostOptions,
    "prometheus": PrometheusOptions,
}
_HTTP_SECRETS = frozenset({"username", "password", "token", "header:"})
SECRETS: dict[str, frozenset[str]] = {
    "http": _HTTP_SECRETS,
    "prometheus": _HTTP_SECRETS,
    "postgresql": frozenset({"username", "password"}),
    "mysql": frozenset({"username", "password"}),
}
TARGET_FREE = frozenset({"host"})


def thresholds_of(options: dict[str, Any]) -> tuple[Threshold, ...]:
    """Of options that were found valid."""
    return tuple(msgspec.convert(options.get("thresholds", []), list[Threshold]))
