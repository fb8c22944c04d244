"""The settings of `[signal]`: to whom "look now" is said, how often, and in which language it is told of."""

from __future__ import annotations

from math import isfinite
from pathlib import Path
from typing import NamedTuple

from atalaia_agent import http1
from atalaia_agent.setting_values import Raw, SettingsError, key_in, number, text
from atalaia_agent.urls import parse_http_url

FIELDS = ("url", "key", "key_file", "interval_s", "timeout_s", "source", "statistics_s", "language", "ca_file")

# Of the signallers that were there before.
ALIASES = {"EDGE_FUNCTION_URL": "signal_url", "MONITOR_API_KEY": "signal_key"}

_LANGUAGES = {"pt": "pt", "pt-br": "pt", "pt_br": "pt", "en": "en", "en-us": "en", "en-gb": "en"}
_NEEDS_A_HUB = ("hub", "enrol", "ping")


class SignalSettings(NamedTuple):
    """`language` is empty where it is the process's own."""

    address: http1.Address
    key: str
    interval_s: float
    timeout_s: float
    source: str
    statistics_s: float
    language: str
    ca_file: str | None


def is_alone(raw: Raw) -> bool:
    """Whether there is nothing to do but to signal: no hub, and nothing that needs one."""
    return bool(raw.get("signal_url")) and not any(raw.get(name) for name in _NEEDS_A_HUB)


def read_signal(raw: Raw) -> SignalSettings | None:
    """None where no signal is set. Raises SettingsError."""
    if not text(raw, "signal_url"):
        # A key alone may be there for another program: its old name is not ours alone.
        given = sorted(name for name in raw if name.startswith("signal_") and name != "signal_key")
        if given:
            raise SettingsError(f"{given[0]} is set, but no signal_url ([signal] url): where should it go?")
        return None
    try:
        address = parse_http_url(text(raw, "signal_url"))
    except ValueError as failure:
        raise SettingsError(f"signal_url: {failure}") from failure
    interval_s = number(raw, "signal_interval_s", 2.0, least=0.2)
    if not isfinite(interval_s):
        raise SettingsError("signal_interval_s must be finite")
    return SignalSettings(
        address=address,
        key=_key(raw),
        interval_s=interval_s,
        timeout_s=number(raw, "signal_timeout_s", _default_timeout_s(interval_s), least=0.1),
        source=_source(raw),
        statistics_s=number(raw, "signal_statistics_s", 60.0, least=1.0),
        language=_language(raw),
        ca_file=text(raw, "signal_ca_file") or _ca_of_the_hub(raw, address),
    )


def _default_timeout_s(interval_s: float) -> float:
    """An answer that comes when the next signal is due would cost that one."""
    return min(max(interval_s * 0.9, 1.0), 10.0)


def _key(raw: Raw) -> str:
    key = text(raw, "signal_key")
    if not key and raw.get("signal_key_file"):
        path = Path(text(raw, "signal_key_file"))
        try:
            key = key_in(path, "signal_key_file")
        except FileNotFoundError:
            raise SettingsError(f"signal_key_file: there is no file {path}") from None
    if not key:
        raise SettingsError("no key for the signal: set ATALAIA_SIGNAL_KEY, or [signal] key or key_file")
    if not key.isascii() or not key.isprintable():
        raise SettingsError("signal_key: only printable ASCII can be sent")
    return key


def _source(raw: Raw) -> str:
    source = text(raw, "signal_source") or "vps-monitor"
    if not source.isprintable():
        raise SettingsError("signal_source: it has characters that can't be shown")
    return source


def _language(raw: Raw) -> str:
    wanted = text(raw, "signal_language").lower()
    if wanted and wanted not in _LANGUAGES:
        raise SettingsError("signal_language must be pt-BR or en")
    return _LANGUAGES.get(wanted, "")


def _ca_of_the_hub(raw: Raw, address: http1.Address) -> str | None:
    """The hub's authorities are trusted for the hub; for another host, the system's are."""
    try:
        is_hub = not raw.get("hub") or parse_http_url(text(raw, "hub")).origin == address.origin
    except ValueError:
        return None
    return (text(raw, "ca_file") or None) if is_hub else None
