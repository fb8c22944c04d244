"""Templates out of captured frames, and what a new capture makes of those that are in force.

One action may have several forms (variants), told apart by their keys. A version of an action holds all of them: a capture
replaces the forms it has seen and keeps the others, so that a recording of one flow does not take another's frames away.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import msgspec

from atalaia.captures.model.recordings import Frame
from atalaia.sdk.fidelity import MAKERS, NotJson, Slot, Template, learn, plain_text
from atalaia.sdk.fidelity.templates import reference

BUILT_IN: Final = 0
_AROUND: Final = frozenset({*MAKERS, "$", "action", "_action_name"})
# A secret that only the door knows by its name: it has no constant in a template.
_TAKEN_OUT: Final = re.compile(r'"((?:[^"\\]|\\.)*)"\s*:\s*"(?:\*+|x{6,})"')


@dataclass(frozen=True, slots=True)
class FrameSource:
    """What an upstream says of its frames: keys that vary from job to job, and the forms that hold until there is a capture."""

    title: str
    variables: Sequence[str] = ()
    built_in: Sequence[Template] = ()

    def built_in_by_action(self) -> dict[str, list[Template]]:
        found: dict[str, list[Template]] = {}
        for template in self.built_in:
            found.setdefault(template.action, []).append(template)
        return found


class ActionVersion(msgspec.Struct, frozen=True, kw_only=True):
    """The forms of one action as one capture left them; version 0 is built in and of no capture."""

    upstream: str
    action: str
    version: int
    templates: tuple[Template, ...]
    capture_id: str | None = None
    made_at: datetime | None = None
    made_by: str = ""


@dataclass(frozen=True, slots=True)
class Active:
    """What frames are made by and held against; `etag` changes when any of it does."""

    etag: str
    templates: Mapping[str, Template]
    versions: Sequence[ActionVersion] = field(default_factory=tuple)


def sent_by_action(frames: Iterable[Frame]) -> dict[str, list[Frame]]:
    """What was sent, of known actions, in the order of the recording."""
    found: dict[str, list[Frame]] = {}
    for frame in frames:
        if frame.direction == "sent" and frame.action is not None and _is_text(frame.text):
            found.setdefault(frame.action, []).append(frame)
    return found


def learn_action(frames: Sequence[Frame], *, variables: Collection[str], earlier: Sequence[Template]) -> list[Template]:
    """The forms that these frames of one action have. What varied in earlier captures varies still."""
    texts = [frame.text for frame in frames]
    known = {slot.path.rpartition(".")[2] for template in earlier for slot in template.slots if slot.kind == "variable"}
    hidden = {name for text in texts for name in _taken_out(text)}
    try:
        return learn(texts, variables={*variables, *known, *hidden})
    except NotJson:
        return []


def merged(new: Sequence[Template], earlier: Sequence[Template], *, version: int) -> tuple[Template, ...]:
    """The new forms, and those of before whose place no new one takes; each with a name of its own."""
    replaced = _replaced(new, earlier)
    kept = [template for n, template in enumerate(earlier) if n not in replaced]
    taken: set[str] = set()
    found: list[Template] = []
    for template in (*new, *kept):
        variant, count = template.variant, 1
        while variant in taken:
            count += 1
            variant = f"{template.variant}#{count}"
        taken.add(variant)
        found.append(msgspec.structs.replace(template, variant=variant, version=version))
    return tuple(found)


def are_alike(a: Sequence[Template], b: Sequence[Template]) -> bool:
    """Whether both make the same frames; what the samples had in their slots does not matter."""
    return sorted(map(_essence, a)) == sorted(map(_essence, b))


def _essence(template: Template) -> str:
    parts = (
        [part.path, part.kind, part.type, part.maker] if isinstance(part, Slot) else part for part in template.form
    )
    return msgspec.json.encode([template.encoding, template.escapes, template.percent, list(parts)]).decode()


def _replaced(new: Sequence[Template], earlier: Sequence[Template]) -> set[int]:
    """Which of the earlier forms the new ones are: each at most one, the likest first, also where a key came or went.

    Without that a page that sends one key more would leave its old form in force beside the new one.
    """
    distances = sorted(
        (len(of_new ^ of_old), a, b)
        for a, of_new in enumerate(map(_keys, new))
        for b, of_old in enumerate(map(_keys, earlier))
        if 2 * len(of_new ^ of_old) < len(of_new | of_old)
    )
    placed: set[int] = set()
    replaced: set[int] = set()
    for _, a, b in distances:
        if a not in placed and b not in replaced:
            placed.add(a)
            replaced.add(b)
    return replaced


def _keys(template: Template) -> frozenset[str]:
    """Names of what a form carries; not of what stands around it, which differs from deployment to deployment."""
    return frozenset(path.rpartition(".")[2] for path in reference(template).spans) - _AROUND


def _taken_out(text: str) -> list[str]:
    try:
        return [found[1] for found in _TAKEN_OUT.finditer(plain_text(text))]
    except NotJson:
        return []


def _is_text(text: str) -> bool:
    """A half surrogate can be received, and never sent again."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
