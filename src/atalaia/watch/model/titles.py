"""Titles of incidents: kept and sent in English, shown in the reader's language."""

from collections.abc import Callable
from typing import Any

from atalaia.core.translations import N_
from atalaia.watch.model.incidents import Cause
from atalaia.watch.model.values import Incident

TITLES = {
    Cause.DOWN: N_("{name} is down"),
    Cause.DEGRADED: N_("{name} is degraded"),
    Cause.SILENT: N_("Agent {name} is silent"),
}
CHANNEL_TITLE = N_("Messages do not get through: {name}")
FORWARDING_TITLE = N_("Samples are not forwarded: {name}")
UPSTREAM_TITLE = N_("Upstream does not answer: {name}")
LOGIN_TITLE = N_("Upstream does not let us in: {name}")
UNANSWERED_TITLE = N_("Signals are not answered: {name}")
RUNS_TITLE = N_("Runs of a signal fail: {name}")
REFUSED_TITLE = N_("A sender's key is refused: {name}")
_FAULTS = (
    CHANNEL_TITLE,
    FORWARDING_TITLE,
    UPSTREAM_TITLE,
    LOGIN_TITLE,
    UNANSWERED_TITLE,
    RUNS_TITLE,
    REFUSED_TITLE,
)


def english_title(cause: Cause, name: str) -> str:
    return TITLES[cause].format(name=name) if cause in TITLES else name


def title_parts(incident: Incident) -> tuple[str, str]:
    """A key of the translations with `{name}` in it, and the name; an integration reports `<title>: <name>`."""
    templates = (TITLES[incident.cause],) if incident.cause in TITLES else _FAULTS
    title = incident.title
    for template in templates:
        before, _, after = template.partition("{name}")
        if title.startswith(before) and title.endswith(after):
            return template, title[len(before) : len(title) - len(after)]
    told, separator, name = title.partition(": ")
    return (told, f"{separator}{name}")


def shown_title(incident: Incident, translate: Callable[..., Any]) -> str:
    """The title in the language of `translate`."""
    key, name = title_parts(incident)
    return str(translate(key, name=name)) if "{name}" in key else f"{translate(key)}{name}"
