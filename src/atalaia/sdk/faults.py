"""What an integration reports as wrong: each becomes an incident, told once, until it is ended."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from atalaia.core.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultReport:
    """`key` is the integration's own, as `operation:<id>`; one that is open already stays as it is.

    The incident is called `<title>: <name>`; `title` is English, a key of the translations. `title` and `reason` are for
    people, without secrets; `runbook` (Markdown) says what to do.
    """

    key: str
    title: str
    name: str
    reason: str = ""
    severity: Literal["info", "warning", "critical"] = "critical"
    labels: Mapping[str, str] = field(default_factory=dict)
    runbook: str = ""


class FaultReported(Event, frozen=True, kw_only=True):
    """The hub tells it for the integration; `subject` is `integration:<name>:<key>`."""

    subject: str
    fault: FaultReport


class FaultEnded(Event, frozen=True, kw_only=True):
    subject: str
