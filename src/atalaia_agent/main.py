"""`atalaia agent`: the command line, and the life of the process."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from threading import stack_size
from typing import Any

from atalaia_agent import settings as settings_module
from atalaia_agent.agent import Agent
from atalaia_agent.enrol import EnrolError, enrol
from atalaia_agent.line import UNKNOWN
from atalaia_agent.measuring import measure
from atalaia_agent.probes import Context
from atalaia_agent.records import make_records
from atalaia_agent.settings import KNOWN, Settings, SettingsError
from atalaia_agent.signal_only import SignalOnly
from atalaia_agent.signal_settings import SignalSettings, is_alone, read_signal
from atalaia_agent.spool import Spool
from atalaia_agent.spool_files import SpoolInUse
from atalaia_agent.voice import Voice
from atalaia_agent.wire import WireError, now_ms, parse_probe

EXIT_OK, EXIT_FAILED, EXIT_USAGE = 0, 1, 2

_STACK_BYTES = 256 * 1024

_USAGE = """\
usage: atalaia agent --hub URL [options]
       atalaia agent --signal-url URL [options]
       atalaia agent probe JSON

Measures what the hub asks for, keeps it on disk and sends it. Says "look now" to a signal, with or without a hub.

options (each also as ATALAIA_<NAME> and in the configuration file):
{options}
  --config FILE          a TOML file with the same names, and [signal], [line], [allow], [deny]
  --help                 this text

examples:
  ATALAIA_KEY=… atalaia agent --hub https://watch.example.org
  atalaia agent --hub https://watch.example.org --enrol TOKEN --name sp-1 --ping --location sao-paulo
  ATALAIA_SIGNAL_KEY=… atalaia agent --signal-url https://watch.example.org/api/signals/monitor-execution
  atalaia agent probe '{{"kind": "http", "target": "https://example.org/"}}'
"""


def main(argv: list[str] | None = None) -> int:
    arguments = sys.argv[1:] if argv is None else argv
    try:
        if arguments[:1] == ["probe"]:
            return _probe_once(arguments[1:])
        flags = parse_flags(arguments)
        if "help" in flags:
            sys.stdout.write(_usage())
            return EXIT_OK
        raw = _settings(flags)
        signal_settings = read_signal(raw) if is_alone(raw) else None
        return _run(settings_module.build([raw])) if signal_settings is None else _signal_only(signal_settings)
    except SettingsError as failure:
        sys.stderr.write(f"atalaia-agent: {failure}\n")
        return EXIT_USAGE
    except (EnrolError, SpoolInUse, OSError) as failure:
        sys.stderr.write(f"atalaia-agent: {failure}\n")
        return EXIT_FAILED


def parse_flags(arguments: list[str]) -> dict[str, Any]:
    """By hand: `argparse` would cost 1 MB for as long as the agent runs. Raises SettingsError."""
    flags: dict[str, Any] = {}
    waiting = list(arguments)
    while waiting:
        name, equals, value = waiting.pop(0).partition("=")
        setting = _setting_of(name)
        if setting in ("help", "ping") and not equals and (setting == "help" or not _is_value(waiting)):
            flags[setting] = True
            continue
        if not equals:
            if not _is_value(waiting):
                raise SettingsError(f"{name} needs a value")
            value = waiting.pop(0)
        flags[setting] = value
    return flags


def _setting_of(flag: str) -> str:
    if flag in ("-h", "--help"):
        return "help"
    name = flag.removeprefix("--").replace("-", "_")
    known = [*KNOWN, "config"]
    if flag.startswith("--") and name in known:
        return name
    # Only for a mistake, so not loaded for everybody.
    from difflib import get_close_matches

    nearest = get_close_matches(name, known, n=1, cutoff=0.0)[0].replace("_", "-")
    raise SettingsError(f"there is no option {flag!r}; did you mean --{nearest}? See --help")


def _is_value(waiting: list[str]) -> bool:
    return bool(waiting) and not waiting[0].startswith("--")


def _usage() -> str:
    lines = [f"  --{name.replace('_', '-'):<20} {known.help}" for name, known in KNOWN.items()]
    return _USAGE.format(options="\n".join(lines))


def _settings(flags: dict[str, Any]) -> settings_module.Raw:
    layers: list[settings_module.Raw] = []
    config = flags.pop("config", None) or os.environ.get("ATALAIA_AGENT_CONFIG")
    if config:
        layers.append(settings_module.load_file(Path(config)))
    layers += [settings_module.from_environment(os.environ), flags]
    return settings_module.merge(layers)


def _probe_once(arguments: list[str]) -> int:
    """One measurement, its records on one line each as the hub would get them; exit code 1 when it fails."""
    try:
        probe = parse_probe(json.loads(arguments[0] if arguments else sys.stdin.read()))
    except (ValueError, WireError) as failure:
        raise SettingsError(f"not a probe: {failure}") from failure
    at_ms = now_ms()
    found = measure(probe, Context())
    for record in make_records(probe, found, at_ms=at_ms, line=UNKNOWN, local_id=""):
        sys.stdout.write(json.dumps(record, ensure_ascii=False) + "\n")
    return EXIT_OK if found.is_ok else EXIT_FAILED


def _run(settings: Settings) -> int:
    stack_size(_STACK_BYTES)
    voice = Voice()
    spool = Spool(settings.spool, max_bytes=settings.spool_max_bytes, say=voice.say)
    try:
        if not settings.key and settings.enrol_token:
            settings = enrol(settings, voice)
        if not settings.key:
            raise SettingsError("no key: set ATALAIA_KEY, give --key-file FILE, or --enrol TOKEN")
        agent = Agent(settings, spool, voice)
        _stop_by_signal(agent)
        agent.run()
    finally:
        spool.close()
    return EXIT_OK


def _signal_only(settings: SignalSettings) -> int:
    stack_size(_STACK_BYTES)
    agent = SignalOnly(settings, Voice())
    _stop_by_signal(agent)
    agent.run()
    return EXIT_OK


def _stop_by_signal(agent: Agent | SignalOnly) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: agent.stop())
