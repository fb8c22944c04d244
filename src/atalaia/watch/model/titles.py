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


def shown_title(incident: Incident, translate: Callable[..., Any]) -> str:
    """The title in the language of `translate`; an integration reports `<title>: <name>`."""
    templates = (TITLES[incident.cause],) if incident.cause in TITLES else _FAULTS
    for template in templates:
        before, _, after = template.partition("{name}")
        title = incident.title
        if title.startswith(before) and title.endswith(after):
            name = title[len(before) : len(title) - len(after)]
            return str(translate(template, name=name))
    title, separator, name = incident.title.partition(": ")
    return f"{translate(title)}{separator}{name}"
