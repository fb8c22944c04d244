"""What the forms of channels and routes hold, and what they say back."""

from collections.abc import Callable, Mapping
from typing import Any

from atalaia.core.errors import AtalaiaError, InvalidField
from atalaia.core.translations import N_, Translator
from atalaia.notify.channels.registry import ChannelKinds
from atalaia.notify.model.channel import Channel, RouteRecord
from atalaia.notify.model.routing import GROUP_WAIT_S, REPEAT_INTERVAL_S
from atalaia.notify.model.severity import Severity
from atalaia.notify.model.texts import SEVERITY_WORDS
from atalaia.sdk.channels import ChannelKind

LOCALE_NAMES = (("pt-BR", "Português (Brasil)"), ("en", "English"))


def input_name(kind: str, field: str) -> str:
    """Two kinds may have a field of the same name."""
    return f"{kind}-{field}"


def channel_values(channel: Channel | None, kinds: ChannelKinds, *, locale: str) -> dict[str, str]:
    """What stands in a form: of a channel, or of a new one with the defaults."""
    values = {
        "name": channel.name if channel else "",
        "kind": channel.kind if channel else "webhook",
        "locale": channel.locale if channel else locale,
        "is_enabled": "on" if channel is None or channel.is_enabled else "",
    }
    for kind in kinds.all():
        for field in kind.fields:
            stored = channel.settings.get(field.name) if channel and channel.kind == kind.name else None
            values[input_name(kind.name, field.name)] = _as_text(field.default if stored is None else stored)
    return values


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    return "\n".join(value) if isinstance(value, list) else str(value)


def kind_values(kind: ChannelKind, form: Mapping[str, str]) -> dict[str, Any]:
    """The values of the kind's own fields."""
    return {field.name: form.get(input_name(kind.name, field.name), "") for field in kind.fields}


def channel_errors(error: AtalaiaError, kind: str, translator: Translator) -> dict[str, str]:
    if not isinstance(error, InvalidField):
        return {"name": translator.translate(error.message, **error.params)}
    is_own = error.field in {"name", "kind", "locale"}
    return {error.field if is_own else input_name(kind, error.field): _words(error, translator)}


def route_errors(error: AtalaiaError, translator: Translator) -> dict[str, str]:
    return {getattr(error, "field", ""): _words(error, translator)}


def _words(error: AtalaiaError, translator: Translator) -> str:
    return translator.translate(error.message, **error.params)


def kind_cards(kinds: ChannelKinds, translate: Callable[[str], str]) -> list[dict[str, Any]]:
    """The kinds with their fields, ready for the template."""
    return [
        {
            "name": kind.name,
            "label": translate(kind.title),
            "hint": translate(kind.hint) if kind.hint else "",
            "fields": [
                {
                    "input": input_name(kind.name, field.name),
                    "label": translate(field.label),
                    "help": translate(field.help) if field.help else "",
                    "kind": field.kind,
                    "is_required": field.is_required,
                    "placeholder": field.placeholder,
                    "choices": [(value, translate(label)) for value, label in field.choices],
                }
                for field in kind.fields
            ],
        }
        for kind in kinds.all()
    ]


# -- routes


def route_values(route: RouteRecord | None) -> dict[str, str]:
    return {
        "channel": route.channel_id if route else "",
        "match": "\n".join(f"{name}={value}" for name, value in route.match.items()) if route else "",
        "min_severity": (route.min_severity or "") if route else "",
        "repeat_interval_s": str(route.repeat_interval_s if route else REPEAT_INTERVAL_S),
        "group_wait_s": str(route.group_wait_s if route else GROUP_WAIT_S),
        "is_enabled": "on" if route is None or route.is_enabled else "",
    }


def parse_route(form: Mapping[str, str]) -> dict[str, Any]:
    """Raises: InvalidField."""
    severity = form.get("min_severity", "")
    if severity and severity not in set(Severity):
        raise InvalidField("min_severity", N_("choose one of: {allowed}"), allowed=", ".join(Severity))
    return {
        "channel_id": form.get("channel", ""),
        "match": _parse_labels(form.get("match", "")),
        "min_severity": Severity(severity) if severity else None,
        "repeat_interval_s": _parse_seconds(form, "repeat_interval_s"),
        "group_wait_s": _parse_seconds(form, "group_wait_s"),
        "is_enabled": form.get("is_enabled") == "on",
    }


def _parse_labels(text: str) -> dict[str, str]:
    labels: dict[str, str] = {}
    for line in text.splitlines():
        name, equals, value = line.partition("=")
        if not line.strip():
            continue
        if not equals or not name.strip():
            raise InvalidField("match", N_("write one label a line, as name=value"))
        labels[name.strip()] = value.strip()
    return labels


def _parse_seconds(form: Mapping[str, str], name: str) -> int:
    try:
        return int(form.get(name, ""))
    except ValueError as error:
        raise InvalidField(name, N_("This must be a whole number.")) from error


def severity_options(translate: Callable[[str], str]) -> list[tuple[str, str]]:
    return [(severity.value, translate(SEVERITY_WORDS[severity])) for severity in Severity]
