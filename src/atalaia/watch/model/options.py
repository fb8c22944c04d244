"""The options of each kind of probe, as the agent takes them (atalaia_agent/probes)."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

Text = Annotated[str, Meta(max_length=20_000)]
Days = Annotated[float, Meta(ge=0, le=3650)]
Count = Annotated[int, Meta(ge=1, le=20)]
Family = Literal[4, 6, "4", "6", "any", "ipv4", "ipv6"] | None
Statuses = str | list[int | str]


class _Options(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    family: Family = None


class HttpOptions(_Options):
    """Up at 200 to 399 unless `expect_status` says otherwise ("200-299", [200, 204], "200,301")."""

    method: Annotated[str, Meta(pattern="^[A-Za-z]{1,20}$")] = "GET"
    headers: dict[str, Text] = {}
    body: Text | None = None
    expect_status: Statuses = "200-399"
    follow_redirects: bool = True
    body_contains: Text | list[Text] | None = None
    body_not_contains: Text | list[Text] | None = None
    expect_headers: dict[str, Text] = {}
    json_path: Text | dict[str, Any] | None = None
    json_value: Any = None
    ca: Text | None = None
    verify_tls: bool = True
    max_body_bytes: Annotated[int, Meta(ge=0, le=10_000_000)] = 1_000_000
    warn_days: Days | None = None


class TcpOptions(_Options):
    send: Text | None = None
    expect: Text | None = None


class IcmpOptions(_Options):
    count: Count = 1


class DnsOptions(_Options):
    record_type: Literal["A", "AAAA", "CNAME", "MX", "TXT", "NS", "SOA", "SRV", "CAA", "PTR"] = "A"
    resolver: Text | None = None
    expected: Text | list[Text] | None = None


class TlsOptions(_Options):
    warn_days: Days = 14
    server_name: Text | None = None
    ca: Text | None = None


class DatabaseOptions(_Options):
    query: Text = "SELECT 1"
    user: Text | None = None
    database: Text | None = None


class HostOptions(_Options):
    disks: list[Text] | None = None
    units: list[Text] | None = None
    pm2: bool = False
    containers: bool = False
    log: dict[str, Text] | list[dict[str, Text]] | None = None


class PrometheusOptions(_Options):
    names: list[Text] | None = None
    labels: dict[str, Text] = {}
    max_bytes: Annotated[int, Meta(ge=1, le=50_000_000)] = 5_000_000


OPTIONS: dict[str, type[msgspec.Struct]] = {
    "http": HttpOptions,
    "tcp": TcpOptions,
    "icmp": IcmpOptions,
    "dns": DnsOptions,
    "tls": TlsOptions,
    "postgresql": DatabaseOptions,
    "mysql": DatabaseOptions,
    "host": HostOptions,
    "prometheus": PrometheusOptions,
}
SECRETS: dict[str, frozenset[str]] = {
    "http": frozenset({"username", "password", "bearer"}),
    "postgresql": frozenset({"username", "password", "dsn"}),
    "mysql": frozenset({"username", "password", "dsn"}),
    "prometheus": frozenset({"username", "password", "bearer"}),
}
TARGET_FREE = frozenset({"host"})
