"""What watch tells notify about an incident, and what the outbox keeps of it."""

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from atalaia.notify.model.severity import Severity


class NoticeKind(StrEnum):
    OPENED = "opened"
    RECOVERED = "recovered"  # closed, by recovery or by hand
    ACKNOWLEDGED = "acknowledged"  # ends the repeats; tells nobody


class MessageEvent(StrEnum):
    """The name that a webhook's receiver sees."""

    OPENED = "incident.opened"
    REPEATED = "incident.repeated"
    RECOVERED = "incident.recovered"
    TEST = "test"
    DIRECT = "direct"  # to an address, about no incident; no webhook hears of it


class IncidentBrief(msgspec.Struct, frozen=True, kw_only=True):
    """`state` is watch's word; `runbook` (Markdown) and `contacts` are for people to read.

    `reason` is as it is kept, for programs: a code and what was said; people read `why_in` their language, of English words and that.
    `title` is the English one, for programs; people read `title_in` their language, from a key of the translations
    (with `{name}` in it, or before it) and a name.
    """

    id: str
    title: str
    severity: Severity
    state: str
    opened_at: datetime
    reason: str = ""
    runbook: str = ""
    contacts: str = ""
    title_key: str = ""
    title_name: str = ""
    why: str = ""
    why_detail: str = ""

    def why_in(self, retell: Callable[[str], str]) -> str:
        """The reason in one line, in the language of `retell`."""
        parts = (self.why, self.why_detail) if self.why else (self.reason,)
        return " · ".join(retell(part) for part in parts if part)

    def title_in(self, translate: Callable[..., str]) -> str:
        key, name = self.title_key, self.title_name
        if not key:
            return self.title
        return translate(key, name=name) if "{name}" in key else f"{translate(key)}{name}"


class CheckBrief(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    name: str
    state: str
    labels: dict[str, str] = {}


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """An incident as it was when a message about it was queued; `check` is None where none is behind it."""

    incident: IncidentBrief
    check: CheckBrief | None = None


class IncidentNotice(msgspec.Struct, frozen=True, kw_only=True):
    """`labels` choose the routes (None: the check's); `except_channels` are known not to work."""

    kind: NoticeKind
    incident: IncidentBrief
    check: CheckBrief | None = None
    labels: dict[str, str] | None = None
    except_channels: frozenset[str] = frozenset()

    @property
    def subject(self) -> Subject:
        return Subject(incident=self.incident, check=self.check)

    @property
    def routing_labels(self) -> dict[str, str]:
        if self.labels is not None:
            return self.labels
        return self.check.labels if self.check is not None else {}


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """Who is being told: names of channels. None at all is for the incident's timeline: "nobody was told"."""

    channels: tuple[str, ...] = ()
    is_wanted: bool = True  # False: such a notice tells nobody on purpose, or all have been told before

    @property
    def is_nobody(self) -> bool:
        return self.is_wanted and not self.channels


def subject_of(stored: Any) -> Subject:
    return msgspec.convert(stored, Subject)
