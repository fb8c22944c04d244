"""Settings: default < settings page < atalaia.toml < environment ATALAIA_* < ATALAIA_*_FILE.

What is fixed by file or environment is read-only on the page. An unknown name is an error that names the nearest
known one. Secrets have no default; one that was typed on the page is kept sealed.

An integration's settings are `integrations.<name>.<setting>`: the table `[integrations.<name>]` of the file, and
`ATALAIA_<NAME>_<SETTING>` in the environment.
"""

import difflib
import json
import os
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from atalaia.core.errors import ConfigError
from atalaia.core.redaction import Secret

log = structlog.get_logger()

PREFIX = "ATALAIA_"
INTEGRATIONS = "integrations"
SEALED = "sealed"  # a page's secret is kept as {"sealed": base64}
# Of the processes and scripts around the hub, not of the hub itself.
FOREIGN = frozenset(
    {
        "ATALAIA_DATA_DIR",
        "ATALAIA_DATABASE_URL",
        "ATALAIA_CONFIG",
        "ATALAIA_KEY",
        "ATALAIA_KEY_FILE",
        "ATALAIA_HUB",
        "ATALAIA_SPOOL",
        "ATALAIA_PORT",
    }
    | {"ATALAIA_SECRET_KEY", "ATALAIA_COMMIT"}
)


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting; `kind` is one of str, int, float, bool, list, table, secret. A table is one of the file, or JSON.

    `on_page` settings can be changed on the settings page; `title` (its name there) and `help` are English, keys of the
    translations.
    """

    key: str
    kind: str
    default: Any
    help: str
    on_page: bool = True
    minimum: float | None = None
    maximum: float | None = None
    alias: str | None = None  # a kept environment name
    alias_is_ms: bool = False  # it gives milliseconds, where the setting is in seconds
    title: str = ""

    @property
    def section(self) -> str:
        return self.key.rpartition(".")[0]

    @property
    def environment(self) -> str:
        section, _, name = self.key.removeprefix(f"{INTEGRATIONS}.").partition(".")
        stem = name if section == "hub" else f"{section}_{name}"
        return PREFIX + stem.upper().replace(".", "_")


@dataclass(frozen=True, slots=True)
class Value:
    value: Any
    source: str  # "default", "page", "file" or "environment"

    @property
    def is_fixed(self) -> bool:
        """Fixed outside: the page may show it, not change it."""
        return self.source in {"file", "environment"}


def _nearest(name: str, known: Iterable[str]) -> str:
    found = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"; did you mean {found[0]}?" if found else ""


_WORDS = {
    "1": True,
    "true": True,
    "yes": True,
    "on": True,
    "0": False,
    "false": False,
    "no": False,
    "off": False,
    "": False,
}


_MOST = 2**53  # beyond it, JSON and databases read other numbers than were written


def parse_value(setting: Setting, raw: Any) -> Any:
    """The typed value of what a file, a form or the environment says.

    Raises:
        ConfigError: it isn't of the setting's kind, or out of its bounds.
    """
    try:
        value = _parse_kind(setting.kind, raw)
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        raise ConfigError(f"{setting.key}: {raw!r} is not a valid {setting.kind}") from error
    if setting.minimum is not None and value < setting.minimum:
        raise ConfigError(f"{setting.key}: must be at least {setting.minimum:g}")
    if setting.maximum is not None and value > setting.maximum:
        raise ConfigError(f"{setting.key}: must be at most {setting.maximum:g}")
    return value


def _parse_kind(kind: str, raw: Any) -> Any:
    match kind:
        case "bool":
            return raw if isinstance(raw, bool) else _WORDS[str(raw).strip().lower()]
        case "int" | "float":
            number = int(raw) if kind == "int" else float(raw)
            if not -_MOST <= number <= _MOST:  # neither infinite nor no number at all: no bound below would hold these
                raise ValueError
            return number
        case "list":
            parts = raw.split(",") if isinstance(raw, str) else list(raw)
            return tuple(str(part).strip() for part in parts if str(part).strip())
        case "table":
            return dict(**(json.loads(raw) if isinstance(raw, str) else raw))  # TypeError where it is none
        case "secret":
            return Secret(str(raw)) if raw else None
        case _:
            return str(raw)


class Settings:
    """The values in force. `get` is cheap; page values may change while the hub runs (`set_page_values`).

    `unreadable` are the names of integrations that could not be loaded: what is set for them is passed over.
    """

    def __init__(
        self,
        declared: Iterable[Setting],
        *,
        file: Mapping[str, Any] | None = None,
        environment: Mapping[str, str] | None = None,
        unreadable: Iterable[str] = (),
    ) -> None:
        self.declared = {setting.key: setting for setting in declared}
        self._unreadable = tuple(unreadable)
        self._open: Callable[[str, str], str | None] = lambda _key, _sealed: None
        fixed = self._from_file(file or {})
        fixed.update(self._from_environment(environment or {}))
        self._fixed = fixed
        self._page: dict[str, Value] = {}
        self._passed_over: set[str] = set()
        self._listeners: list[Callable[[], None]] = []

    def get(self, key: str) -> Any:
        return self.lookup(key).value

    def lookup(self, key: str) -> Value:
        found = self._fixed.get(key) or self._page.get(key)
        return found or Value(self.declared[key].default, "default")

    def open_secrets_with(self, open_sealed: Callable[[str, str], str | None]) -> None:
        """`open_sealed(key, text)` gives the secret that the page kept, or None; until then such secrets are not set."""
        self._open = open_sealed

    def set_page_values(self, values: Mapping[str, Any]) -> None:
        """Take what the settings page has kept; names and values that are no longer good are passed over."""
        plain = {key: self._plain(key, raw) for key, raw in values.items() if key in self.declared}
        page: dict[str, Value] = {}
        for key, raw in plain.items():
            try:
                if raw is not None:
                    page[key] = Value(parse_value(self.declared[key], raw), "page")
            except ConfigError as error:  # of another version: a hub that does not start could not even be set anew
                if str(error) not in self._passed_over:  # the page is read each few seconds
                    log.warning("page_setting_passed_over", reason=str(error))
                self._passed_over.add(str(error))
        self._page = page
        for listener in self._listeners:
            listener()

    def _plain(self, key: str, raw: Any) -> Any:
        return self._open(key, str(raw[SEALED])) if isinstance(raw, dict) and SEALED in raw else raw

    def on_change(self, listener: Callable[[], None]) -> None:
        self._listeners.append(listener)

    def _from_file(self, content: Mapping[str, Any]) -> dict[str, Value]:
        found: dict[str, Value] = {}
        for key, raw in _flat(content):
            if key.startswith(tuple(f"{INTEGRATIONS}.{name}." for name in self._unreadable)):
                continue
            if key not in self.declared:
                raise ConfigError(f"atalaia.toml: unknown setting {key}{_nearest(key, self.declared)}")
            found[key] = Value(parse_value(self.declared[key], raw), "file")
        return found

    def _from_environment(self, environment: Mapping[str, str]) -> dict[str, Value]:
        by_name = {setting.environment: setting for setting in self.declared.values()}
        by_name |= {setting.alias: setting for setting in self.declared.values() if setting.alias}
        passed_over = tuple(f"{PREFIX}{name.upper()}_" for name in self._unreadable)
        found: dict[str, Value] = {}
        for name, raw in environment.items():
            if name in by_name:
                setting = by_name[name]
                is_ms = setting.alias_is_ms and name == setting.alias
                found[setting.key] = Value(
                    parse_value(setting, _in_seconds(name, raw) if is_ms else raw), "environment"
                )
            elif name.endswith("_FILE") and name.removesuffix("_FILE") in by_name:
                setting = by_name[name.removesuffix("_FILE")]
                found[setting.key] = Value(parse_value(setting, _read_file(name, raw)), "environment")
            elif name.startswith(PREFIX) and name not in FOREIGN and not name.startswith(passed_over):
                raise ConfigError(f"unknown setting {name} in the environment{_nearest(name, by_name)}")
        return found


def _flat(content: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Key and value of all that a file says; what stands before any table is the hub's."""
    for section, body in content.items():
        if not isinstance(body, dict):
            yield f"hub.{section}", body
            continue
        for name, value in body.items():
            if section == INTEGRATIONS and isinstance(value, dict):
                yield from ((f"{section}.{name}.{last}", each) for last, each in value.items())
            else:
                yield f"{section}.{name}", value


def _in_seconds(name: str, raw: str) -> str:
    try:
        return str(float(raw) / 1000)
    except ValueError as error:
        raise ConfigError(f"{name}: {raw!r} is not a number of milliseconds") from error


def _read_file(name: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigError(f"{name}: can't read {path}: {error.strerror}") from error


def load_settings(declared: Iterable[Setting], *, data_dir: Path, unreadable: Iterable[str] = ()) -> Settings:
    """Read atalaia.toml (of ATALAIA_CONFIG, else in the data directory) and the environment."""
    path = Path(os.environ.get("ATALAIA_CONFIG") or data_dir / "atalaia.toml")
    content: dict[str, Any] = {}
    if path.is_file():
        try:
            content = tomllib.loads(path.read_text(encoding="utf-8"))
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(f"{path}: {error}") from error
    return Settings(declared, file=content, environment=os.environ, unreadable=unreadable)
