"""What the settings page shows and changes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from atalaia.access.audit import record
from atalaia.core.clock import Clock
from atalaia.core.errors import ConfigError, Conflict, NotFound
from atalaia.core.permissions import Principal
from atalaia.core.redaction import STARS, Secret
from atalaia.core.settings import Setting, Settings, Value, parse_value
from atalaia.core.translations import N_
from atalaia.sdk.transaction import Tx
from atalaia.store.page_settings import write_page_setting
from atalaia.store.store import Store

SECTION_TITLES: Final = {
    "hub": N_("Hub"),
    "access": N_("Access"),
    "agents": N_("Agents"),
    "watch": N_("Watch"),
    "notify": N_("Messages"),
    "metrics": N_("Metrics"),
    "pings": N_("Latency"),
}


@dataclass(frozen=True, slots=True)
class Complaint:
    """What is wrong with what was typed; English, to be translated."""

    text: str
    params: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Field:
    """A setting as a form field. `text` is what the field holds; a secret shows nothing but whether it is set."""

    key: str
    kind: str
    help: str
    text: str
    source: str
    is_editable: bool
    environment: str
    minimum: float | None
    maximum: float | None
    default: str

    @property
    def attributes(self) -> dict[str, str]:
        """Of a number's input."""
        if self.kind not in {"int", "float"}:
            return {}
        bounds = {"min": self.minimum, "max": self.maximum}
        step = "any" if self.kind == "float" else "1"
        return {"step": step} | {name: f"{bound:g}" for name, bound in bounds.items() if bound is not None}


@dataclass(frozen=True, slots=True)
class Section:
    key: str
    title: str
    fields: Sequence[Field]


class SettingsService:
    def __init__(self, store: Store, settings: Settings, *, clock: Clock) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock

    def sections(self) -> list[Section]:
        declared = sorted(
            self._settings.declared.values(), key=lambda setting: list(SECTION_TITLES).index(_section(setting))
        )
        return [
            Section(
                key, SECTION_TITLES[key], [_field(setting, self._settings.lookup(setting.key)) for setting in group]
            )
            for key, group in groupby(declared, key=_section)
        ]

    async def change(
        self, section: str, form: Mapping[str, str], *, by: Principal, address: str | None
    ) -> dict[str, Complaint]:
        """Keep what was typed into a section's form; errors by setting, and nothing kept if there is one."""
        known = [setting for setting in self._settings.declared.values() if _section(setting) == section]
        if not known:
            raise NotFound("there is no such section")
        changes, errors = self._read_form(known, form)
        if errors or not changes:
            return errors
        before = {key: _text(self._settings.declared[key], self._settings.get(key)) for key in changes}
        await self._store.write(lambda tx: self._keep(tx, changes, before=before, by=by, address=address))
        return {}

    def _read_form(
        self, known: Sequence[Setting], form: Mapping[str, str]
    ) -> tuple[dict[str, Any], dict[str, Complaint]]:
        changes: dict[str, Any] = {}
        errors: dict[str, Complaint] = {}
        for setting in known:
            now = self._settings.lookup(setting.key)
            if not setting.on_page or now.is_fixed or setting.kind == "secret":
                continue
            raw = form.get(setting.key, "off" if setting.kind == "bool" else "").strip()
            try:
                value = setting.default if raw == "" and setting.kind != "bool" else parse_value(setting, raw)
            except ConfigError:
                errors[setting.key] = _complaint(setting)
                continue
            if value != now.value:
                changes[setting.key] = None if value == setting.default else value
        return changes, errors

    def _keep(
        self, tx: Tx, changes: Mapping[str, Any], *, before: Mapping[str, str], by: Principal, address: str | None
    ) -> None:
        now = self._clock.now()
        for key, value in changes.items():
            setting = self._settings.declared[key]
            if self._settings.lookup(key).is_fixed:
                raise Conflict(N_("this setting is fixed outside of the page"))
            write_page_setting(tx, key, value, now=now)
            after = _text(setting, setting.default if value is None else value)
            record(
                tx, by, "setting.changed", f"setting:{key}", before=before[key], after=after, address=address, now=now
            )


def _complaint(setting: Setting) -> Complaint:
    if setting.kind not in {"int", "float"}:
        return Complaint(N_("This can't be used here."), {})
    low, high = setting.minimum, setting.maximum
    if low is not None and high is not None:
        return Complaint(N_("A number from {low} to {high}."), {"low": f"{low:g}", "high": f"{high:g}"})
    if low is not None:
        return Complaint(N_("A number of at least {low}."), {"low": f"{low:g}"})
    return Complaint(N_("A number is expected."), {})


def _section(setting: Setting) -> str:
    section = setting.key.partition(".")[0]
    return section if section in SECTION_TITLES else "hub"


def _text(setting: Setting, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Secret) or setting.kind == "secret":
        return STARS
    if setting.kind == "list":
        return ", ".join(value)
    if setting.kind == "bool":
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _field(setting: Setting, value: Value) -> Field:
    return Field(
        key=setting.key,
        kind=setting.kind,
        help=setting.help,
        text=_text(setting, value.value),
        source=value.source,
        is_editable=setting.on_page and not value.is_fixed and setting.kind != "secret",
        environment=setting.environment,
        minimum=setting.minimum,
        maximum=setting.maximum,
        default=_text(setting, setting.default),
    )
