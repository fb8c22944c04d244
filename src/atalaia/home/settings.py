"""What the settings page shows and changes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from atalaia.access.audit import record
from atalaia.core.clock import Clock
from atalaia.core.errors import ConfigError, Conflict, NotFound
from atalaia.core.permissions import Principal
from atalaia.core.redaction import STARS, Secret
from atalaia.core.settings import INTEGRATIONS, Setting, Settings, Value, parse_value
from atalaia.core.translations import N_
from atalaia.sdk.transaction import Tx
from atalaia.store.encryption import Sealer
from atalaia.store.page_settings import read_page_settings, seal_page_secret, write_page_setting
from atalaia.store.store import Store

SECTION_TITLES: Final = {
    "hub": N_("Hub"),
    "access": N_("Access"),
    "agents": N_("Agents"),
    "watch": N_("Watch"),
    "notify": N_("Messages"),
    "metrics": N_("Metrics"),
    "pings": N_("Latency"),
    "jobs": N_("Jobs"),
    "signals": N_("Signals"),
    "upstreams": N_("Upstreams"),
    "captures": N_("Captures"),
}
# By the end of a number's key: the names of settings say what they are counted in.
UNITS: Final = {
    "_s": "s",
    "_ms": "ms",
    "_minutes": "min",
    "_hours": "h",
    "_h": "h",
    "_days": N_("days"),
    "_mb": "MB",
}
FORGET: Final = "forget:"  # in a form, before the key of a secret that is to be unset


@dataclass(frozen=True, slots=True)
class Complaint:
    """What is wrong with what was typed; English, to be translated."""

    text: str
    params: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Field:
    """A setting as a form field. `text` is what the field holds; a secret shows nothing but whether it is set."""

    key: str
    title: str
    short_key: str  # as the file has it
    unit: str
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
class IntegrationSection:
    """What the page says of an integration beside its settings.

    `standing` gives `ready`, `unconfigured` or `failed`; `trouble` says why it failed.
    """

    key: str  # integrations.<name>
    title: str
    summary: str
    standing: Callable[[], str]
    trouble: Callable[[], str | None]


@dataclass(frozen=True, slots=True)
class Section:
    key: str
    title: str
    fields: Sequence[Field]
    summary: str = ""
    standing: str | None = None
    trouble: str | None = None


class SettingsService:
    def __init__(
        self,
        store: Store,
        settings: Settings,
        *,
        clock: Clock,
        sealer: Sealer,
        integrations: Sequence[IntegrationSection] = (),
    ) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock
        self._sealer = sealer
        self._integrations = integrations
        self._order = [*SECTION_TITLES, *(each.key for each in integrations)]

    def sections(self) -> list[Section]:
        by_section: dict[str, list[Field]] = {key: [] for key in self._order}
        for setting in self._settings.declared.values():
            by_section[self._section(setting)].append(_field(setting, self._settings.lookup(setting.key)))
        own = [Section(key, title, by_section[key]) for key, title in SECTION_TITLES.items() if by_section[key]]
        return own + [
            Section(each.key, each.title, by_section[each.key], each.summary, each.standing(), each.trouble())
            for each in self._integrations
        ]

    def title(self, key: str) -> str:
        """English, to be translated."""
        return _title(self._settings.declared[key])

    def _section(self, setting: Setting) -> str:
        return setting.section if setting.section in self._order else "hub"

    async def change(
        self, section: str, form: Mapping[str, str], *, by: Principal, address: str | None
    ) -> dict[str, Complaint]:
        """Keep what was typed into a section's form; errors by setting, and nothing kept if there is one."""
        known = [setting for setting in self._settings.declared.values() if self._section(setting) == section]
        if not known:
            raise NotFound("there is no such section")
        changes, errors = self._read_form(known, form)
        if errors or not changes:
            return errors
        before = {key: _text(self._settings.declared[key], self._settings.get(key)) for key in changes}
        await self._store.write(lambda tx: self._keep(tx, changes, before=before, by=by, address=address))
        # At once, so that the page which is shown next has them; other hubs read them within 5 s.
        self._settings.set_page_values(await self._store.read(read_page_settings))
        return {}

    def _read_form(
        self, known: Sequence[Setting], form: Mapping[str, str]
    ) -> tuple[dict[str, Any], dict[str, Complaint]]:
        changes: dict[str, Any] = {}
        errors: dict[str, Complaint] = {}
        for setting in known:
            now = self._settings.lookup(setting.key)
            if not setting.on_page or now.is_fixed:
                continue
            if setting.kind == "secret":
                changes |= self._read_secret(setting, form)
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

    def _read_secret(self, setting: Setting, form: Mapping[str, str]) -> dict[str, Any]:
        """An empty field leaves it as it is: nobody is shown what stands there."""
        typed = form.get(setting.key, "").strip()
        if typed:
            return {setting.key: seal_page_secret(self._sealer, setting.key, typed)}
        return {setting.key: None} if form.get(FORGET + setting.key) else {}

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


def _text(setting: Setting, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Secret) or setting.kind == "secret":
        return STARS
    if setting.kind in {"list", "table"}:  # of a table the names: what they stand for is the file's business
        return ", ".join(value)
    if setting.kind == "bool":
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _title(setting: Setting) -> str:
    """An integration that names none is shown with its key's own words."""
    return setting.title or setting.key.rpartition(".")[2].replace("_", " ").capitalize()


def _unit(setting: Setting) -> str:
    if setting.kind not in {"int", "float"}:
        return ""
    return next((unit for end, unit in UNITS.items() if setting.key.endswith(end)), "")


def _field(setting: Setting, value: Value) -> Field:
    return Field(
        key=setting.key,
        title=_title(setting),
        short_key=setting.key.removeprefix(f"{INTEGRATIONS}."),
        unit=_unit(setting),
        kind=setting.kind,
        help=setting.help,
        text=_text(setting, value.value),
        source=value.source,
        is_editable=setting.on_page and not value.is_fixed,
        environment=setting.environment,
        minimum=setting.minimum,
        maximum=setting.maximum,
        default=_text(setting, setting.default),
    )
