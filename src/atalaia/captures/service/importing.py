"""A recording becomes a capture with templates: one unit of work, called by the hub and by the command."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime

from atalaia.access import audit
from atalaia.captures.events import TemplatesChanged
from atalaia.captures.model.captures import Capture, Imported
from atalaia.captures.model.importing import MAX_FILE_BYTES, read_recording
from atalaia.captures.model.recordings import Recording
from atalaia.captures.model.templates import (
    BUILT_IN,
    ActionVersion,
    FrameSource,
    are_alike,
    learn_action,
    merged,
    sent_by_action,
)
from atalaia.captures.queries import captures as queries
from atalaia.captures.queries import templates as template_queries
from atalaia.core.errors import InvalidField, TooLarge
from atalaia.core.ids import new_id
from atalaia.core.permissions import Principal
from atalaia.core.translations import N_
from atalaia.sdk.fidelity import Template
from atalaia.sdk.transaction import Tx

TOPIC = "captures"
MAX_NAME = 200


class CaptureFile:
    """A file read and freed of secrets, before any transaction: some seconds of work for a large one.

    Raises:
        TooLarge, CaptureRefused.
    """

    def __init__(self, data: bytes) -> None:
        if len(data) > MAX_FILE_BYTES:
            raise TooLarge(N_("a capture has at most {limit} MB"), limit=MAX_FILE_BYTES // 1024 // 1024)
        self.recording: Recording = read_recording(data)
        self.size_bytes = len(data)
        self.sha256 = hashlib.sha256(data).digest()


class Lessons:
    """What a file's frames teach, action by action: seconds of work for thousands of frames, done before any transaction.

    `in_force` is what was in force then; where that has changed meanwhile, the action is learnt again.
    """

    def __init__(self, file: CaptureFile, source: FrameSource, in_force: Mapping[str, Sequence[Template]]) -> None:
        self._sent = sent_by_action(file.recording.frames)
        self._source = source
        self._known = {
            action: (tuple(in_force.get(action, ())), self._learned(action, in_force.get(action, ())))
            for action in self._sent
        }

    @property
    def actions(self) -> Sequence[str]:
        return list(self._sent)

    def of(self, action: str, earlier: Sequence[Template]) -> list[Template]:
        then, learned = self._known[action]
        return learned if then == tuple(earlier) else self._learned(action, earlier)

    def _learned(self, action: str, earlier: Sequence[Template]) -> list[Template]:
        return learn_action(self._sent[action], variables=self._source.variables, earlier=earlier)


def import_capture(
    tx: Tx,
    principal: Principal,
    file: CaptureFile,
    lessons: Lessons,
    *,
    upstream: str,
    source: FrameSource,
    name: str,
    now: datetime,
    address: str | None = None,
) -> Imported:
    """Keep the capture and make templates of it; where it changes any, those are in force from now on."""
    template_queries.hold(tx)
    known = queries.find_file(tx, upstream=upstream, file_sha256=file.sha256)
    if known is not None:
        return Imported(capture=known, is_new=False, changed=[], unchanged=known.actions)
    capture = _capture(file, upstream=upstream, name=name, by=principal, now=now)
    queries.add(tx, capture, file_sha256=file.sha256, frames=file.recording.frames)
    changed = _make_versions(tx, capture, lessons, source)
    template_queries.choose(tx, upstream=upstream, actions=changed, by=principal.name, now=now)
    actions = [action for action, _ in changed]
    after = {"name": capture.name, "upstream": upstream, "format": capture.format, "templates": dict(changed)}
    audit.record(tx, principal, "capture.imported", f"capture:{capture.id}", after=after, address=address, now=now)
    tx.publish(TOPIC, capture.id)
    if actions:
        told = TemplatesChanged(upstream=upstream, actions=actions, capture_id=capture.id, by=principal.name, at=now)
        tx.emit(told)
    unchanged = [action for action in capture.actions if action not in actions]
    return Imported(capture=capture, is_new=True, changed=actions, unchanged=unchanged)


def _capture(file: CaptureFile, *, upstream: str, name: str, by: Principal, now: datetime) -> Capture:
    recording = file.recording
    sent = sum(frame.direction == "sent" for frame in recording.frames)
    return Capture(
        id=new_id(),
        name=checked_name(name) or f"{upstream} {now:%Y-%m-%d %H:%M}",
        upstream=upstream,
        format=recording.format,
        browser=recording.browser,
        size_bytes=file.size_bytes,
        imported_at=now,
        imported_by=by.name,
        sent=sent,
        received=len(recording.frames) - sent,
        actions=list(sent_by_action(recording.frames)),
        notes=list(recording.notes),
    )


def _make_versions(tx: Tx, capture: Capture, lessons: Lessons, source: FrameSource) -> list[tuple[str, int]]:
    """(action, version) of those that the capture changes."""
    in_force = in_force_by_action(tx, capture.upstream, source)
    changed: list[tuple[str, int]] = []
    for action in lessons.actions:
        earlier = in_force.get(action, ())
        version = template_queries.latest_version(tx, capture.upstream, action) + 1
        new = merged(lessons.of(action, earlier), earlier, version=version)
        if not new or are_alike(new, earlier):
            continue
        made = ActionVersion(
            upstream=capture.upstream,
            action=action,
            version=version,
            templates=new,
            capture_id=capture.id,
            made_at=capture.imported_at,
            made_by=capture.imported_by,
        )
        template_queries.add(tx, made)
        changed.append((action, version))
    return changed


def in_force_by_action(tx: Tx, upstream: str, source: FrameSource) -> dict[str, Sequence[Template]]:
    """What a capture made where one is chosen, else what is built in."""
    found: dict[str, Sequence[Template]] = dict(source.built_in_by_action())
    found |= {each.action: each.templates for each in template_queries.active(tx, upstream)}
    return found


def built_in_version(upstream: str, action: str, templates: Sequence[Template]) -> ActionVersion:
    return ActionVersion(upstream=upstream, action=action, version=BUILT_IN, templates=tuple(templates))


def checked_name(name: str) -> str:
    """Raises: InvalidField."""
    name = name.strip()
    if len(name) > MAX_NAME or not name.isprintable():
        raise InvalidField("name", N_("a name has at most {limit} printable characters"), limit=MAX_NAME)
    return name
