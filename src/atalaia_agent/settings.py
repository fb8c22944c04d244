"""The agent's settings: default < configuration file < environment < command line."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from atalaia_agent import http1
from atalaia_agent.reach import METADATA_NETWORKS, Reach
from atalaia_agent.setting_values import Raw, SettingsError, key_in, number, text, texts
from atalaia_agent.signal_settings import ALIASES, FIELDS, SignalSettings, read_signal
from atalaia_agent.spool import DEFAULT_MAX_BYTES
from atalaia_agent.urls import parse_http_url, split_host_port

__all__ = ["KNOWN", "Raw", "Settings", "SettingsError", "build", "from_environment", "load_file", "merge"]


class Known(NamedTuple):
    kind: str
    help: str
    is_flag: bool = True


# One name for the file, the flag (--ping-interval-s) and the environment (ATALAIA_PING_INTERVAL_S).
KNOWN: dict[str, Known] = {
    "hub": Known("text", "the hub's address, such as https://watch.example.org"),
    "key": Known("text", "API key with the scope agent; it shows in `ps`, so better one of the next two"),
    "key_file": Known("text", "file that holds the key"),
    "spool": Known("text", "directory for what is not yet sent"),
    "spool_max_bytes": Known("number", "limit of the spool; the oldest records go first (default 100 MB)"),
    "name": Known("text", "this agent's name (default: the host's name)"),
    "enrol": Known("text", "one-time token from the hub; the key that it gives is kept in the spool"),
    "ping": Known("switch", "measure the way to the hub, or to the collector at the URL that follows"),
    "ping_interval_s": Known("number", "seconds from one ping to the next (default 30)"),
    "ping_target": Known("text", "name of the collector's location in the measurements"),
    "ping_key": Known("text", "key of a collector that is another hub"),
    "location": Known("text", "where this agent stands, such as sao-paulo"),
    "datacenter": Known("text", "in which data centre"),
    "country": Known("text", "in which country"),
    "ca_file": Known("text", "authorities to trust for the hub instead of the system's"),
    "signal_url": Known("text", 'say "look now" to this address again and again; needs no hub'),
    "signal_key": Known("text", "the signal's key; it shows in `ps`, so better the next one"),
    "signal_key_file": Known("text", "file that holds the signal's key"),
    "signal_interval_s": Known("number", "seconds from one signal to the next (default 2)"),
    "signal_timeout_s": Known("number", "wait so long for an answer (default 0.9 intervals, 1 to 10)"),
    "signal_source": Known("text", "what the signal calls itself (default vps-monitor)"),
    "signal_statistics_s": Known("number", "seconds from one line of statistics to the next (default 60)"),
    "signal_language": Known("text", "of that line: pt-BR or en (default: by LC_ALL, LC_MESSAGES, LANG)"),
    "signal_ca_file": Known("text", "authorities to trust for the signal instead of the system's"),
}

TABLES = {"line": ("reference",), "signal": FIELDS, "allow": ("networks",), "deny": ("networks", "metadata")}


class Settings(NamedTuple):
    hub: http1.Address
    key: str
    enrol_token: str
    name: str
    spool: Path
    spool_max_bytes: int
    ping_url: str
    ping_interval_s: float
    ping_target: str
    ping_key: str
    source: dict[str, str]
    ca_file: str | None
    references: list[tuple[str, int]]
    reach: Reach
    signal: SignalSettings | None


def default_spool() -> Path:
    return Path("/var/lib/atalaia-agent") if os.geteuid() == 0 else Path.home() / ".local/state/atalaia-agent"


def from_environment(environment: Mapping[str, str]) -> Raw:
    """`ATALAIA_<NAME>` for every setting, then the names that were used before; empty ones left out."""
    found = {name: environment.get(f"ATALAIA_{name.upper()}") for name in KNOWN}
    for alias, name in ALIASES.items():
        found[name] = found[name] or environment.get(alias)
    return {name: value for name, value in found.items() if value}


def load_file(path: Path) -> Raw:
    """Raises SettingsError."""
    # 1 MB with what it brings, and most agents are set by flags or environment.
    import tomllib

    try:
        raw = tomllib.loads(path.read_text())
    except OSError as failure:
        raise SettingsError(f"{path}: {failure.strerror}") from failure
    except ValueError as failure:
        raise SettingsError(f"{path}: {failure}") from failure
    for name, value in raw.items():
        _check_name(name, [*KNOWN, *TABLES], where=str(path))
        if name in TABLES:
            _check_table(name, value, where=str(path))
    signal = raw.pop("signal", {})
    return {**raw, **{f"signal_{field}": value for field, value in signal.items()}}


def merge(layers: list[Raw]) -> Raw:
    """The later layer wins."""
    raw: dict[str, Any] = {}
    for layer in layers:
        # A key and a file with a key are two ways to say one thing: the later word counts.
        for key in ("key", "signal_key"):
            if layer.get(key) or layer.get(f"{key}_file"):
                raw.pop(key, None)
                raw.pop(f"{key}_file", None)
        raw.update({name: value for name, value in layer.items() if value is not None})
    return raw


def build(layers: list[Raw]) -> Settings:
    """Raises SettingsError."""
    raw = merge(layers)
    spool = Path(text(raw, "spool")) if raw.get("spool") else default_spool()
    hub = _hub(text(raw, "hub"))
    return Settings(
        hub=hub,
        key=_key(raw, spool),
        enrol_token=text(raw, "enrol"),
        name=text(raw, "name") or socket.gethostname(),
        spool=spool,
        spool_max_bytes=int(number(raw, "spool_max_bytes", DEFAULT_MAX_BYTES, least=65_536)),
        ping_url=_ping_url(raw, hub),
        ping_interval_s=number(raw, "ping_interval_s", 30.0, least=0.2),
        ping_target=text(raw, "ping_target"),
        ping_key=text(raw, "ping_key"),
        source={name: text(raw, name) for name in ("location", "datacenter", "country")},
        ca_file=text(raw, "ca_file") or None,
        references=_references(raw.get("line", {})),
        reach=_reach(raw),
        signal=read_signal(raw),
    )


def _hub(url: str) -> http1.Address:
    if not url:
        raise SettingsError("no hub: give --hub URL or set ATALAIA_HUB")
    try:
        return parse_http_url(url)
    except ValueError as failure:
        raise SettingsError(f"hub: {failure}") from failure


def _key(raw: Raw, spool: Path) -> str:
    if raw.get("key"):
        return text(raw, "key")
    path = Path(text(raw, "key_file")) if raw.get("key_file") else spool / "key"
    try:
        return key_in(path, "key_file")
    except FileNotFoundError:
        if raw.get("key_file"):
            raise SettingsError(f"key_file: there is no file {path}") from None
        return ""


def _ping_url(raw: Raw, hub: http1.Address) -> str:
    value = raw.get("ping")
    if value in (None, False, "", "0", "false", "no"):
        return ""
    if value in (True, "1", "true", "yes"):
        return hub.origin + hub.path.rstrip("/")
    try:
        parse_http_url(str(value))
    except ValueError as failure:
        raise SettingsError(f"ping: {failure}") from failure
    return str(value)


def _references(table: Raw) -> list[tuple[str, int]]:
    try:
        return [split_host_port(reference) for reference in texts(table, "line", "reference")]
    except ValueError as failure:
        raise SettingsError(f"[line] reference: {failure}") from failure


def _reach(raw: Raw) -> Reach:
    deny = texts(raw.get("deny", {}), "deny", "networks")
    if raw.get("deny", {}).get("metadata", True):
        deny = [*deny, *METADATA_NETWORKS]
    try:
        return Reach(allow=texts(raw.get("allow", {}), "allow", "networks"), deny=deny)
    except ValueError as failure:
        raise SettingsError(f"[allow] or [deny] networks: {failure}") from failure


def _check_table(name: str, table: object, *, where: str) -> None:
    if not isinstance(table, dict):
        raise SettingsError(f"{where}: [{name}] must be a table")
    for field in table:
        _check_name(field, TABLES[name], where=f"{where}: [{name}]")


def _check_name(name: str, known: list[str] | tuple[str, ...], *, where: str) -> None:
    if name in known:
        return
    # Only for a mistake, so not loaded for everybody.
    from difflib import get_close_matches

    nearest = get_close_matches(name, known, n=1, cutoff=0.0)
    raise SettingsError(f"{where}: there is no setting {name!r}; did you mean {nearest[0]!r}?")
