"""The post-mortem of an incident: Markdown made of what was recorded, with room for what only people know."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from atalaia.core import formats
from atalaia.core.translations import N_, Translator
from atalaia.notify.model.texts import SEVERITY_WORDS
from atalaia.watch.model.reasons import shown_reason
from atalaia.watch.model.timeline import EVENT_WORDS
from atalaia.watch.model.titles import shown_title
from atalaia.watch.model.values import Incident, TimelineEvent

MEDIA_TYPE: Final = "text/markdown; charset=utf-8"
# What would be read as formatting, or as HTML where the page is shown.
_MARKS: Final = re.compile(r"([\\`*_\[\]<>|#])")
# Heading, and what belongs there: for people to write.
_ROOMS: Final = (
    (N_("Impact"), N_("Who noticed, and what could they not do?")),
    (N_("Cause"), N_("What broke, and why could it?")),
    (N_("What helped"), N_("What shortened it?")),
    (N_("What is to be done"), N_("One line each, with a name and a day.")),
)


@dataclass(frozen=True, slots=True)
class Writing:
    """In whose words and zone."""

    translator: Translator
    timezone: ZoneInfo
    now: datetime

    def say(self, text: str, **params: Any) -> str:
        return self.translator.translate(text, **params)

    def at(self, instant: datetime) -> str:
        return formats.moment(instant, "full", locale=self.translator.locale, timezone=self.timezone)


def post_mortem(incident: Incident, events: Sequence[TimelineEvent], *, writing: Writing, address: str) -> str:
    """`address`: of the incident's page."""
    lines = [f"# {_plain(shown_title(incident, writing.translator.translate))}", ""]
    lines += [f"- **{writing.say(name)}**: {value}" for name, value in _facts(incident, writing)]
    lines += [f"- <{address}>", "", f"## {writing.say(N_('Timeline'))}", ""]
    lines += [_entry(event, incident, writing) for event in sorted(events, key=lambda each: (each.at, each.id))]
    for heading, hint in _ROOMS:
        lines += ["", f"## {writing.say(heading)}", "", f"_{writing.say(hint)}_"]
    return "\n".join(lines) + "\n"


def _facts(incident: Incident, writing: Writing) -> Iterator[tuple[str, str]]:
    yield N_("Severity"), writing.say(SEVERITY_WORDS[incident.severity])
    yield N_("Opened"), writing.at(incident.opened_at)
    if incident.acknowledged_at is not None:
        yield N_("Acknowledged"), f"{writing.at(incident.acknowledged_at)}, {_plain(incident.acknowledged_by or '')}"
    if incident.resolved_at is not None:
        yield N_("Resolved"), writing.at(incident.resolved_at)
    else:
        yield N_("State"), writing.say(N_("Still open"))
    yield N_("Lasted"), formats.span((incident.resolved_at or writing.now) - incident.opened_at)
    if incident.reason:
        yield N_("Reason"), _plain(shown_reason(incident.reason, writing.translator.retell).line)
    if incident.labels:
        yield N_("Labels"), ", ".join(_plain(f"{name}={value}") for name, value in sorted(incident.labels.items()))


def _entry(event: TimelineEvent, incident: Incident, writing: Writing) -> str:
    """As "- 01:02:03 (+5 min) **Opened**, Ana: why"."""
    after = event.at - incident.opened_at
    since = f" (+{formats.span(after)})" if after.total_seconds() >= 1 else ""
    _, words = EVENT_WORDS.get(event.kind, ("", event.kind))
    what = f"**{writing.say(words)}**"
    who = f", {_plain(event.who)}" if event.who else ""
    details = _details(event, writing)
    return f"- {writing.at(event.at)}{since} {what}{who}{': ' + details if details else ''}"


def _details(event: TimelineEvent, writing: Writing) -> str:
    data = event.data
    if text := data.get("text"):
        return _plain(str(text))
    if reason := data.get("reason"):
        return _plain(shown_reason(str(reason), writing.translator.retell).line)
    if channels := data.get("channels"):
        return _plain(", ".join(str(each) for each in channels))
    return _plain(" · ".join(str(data[name]) for name in ("channel", "target", "status") if data.get(name)))


def _plain(text: str) -> str:
    """In one line, and nothing of it read as Markdown or HTML."""
    return _MARKS.sub(r"\\\1", " ".join(text.split()))
