"""What a captured frame becomes: its own text, cut where values change from frame to frame."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import msgspec

from atalaia.core.errors import AtalaiaError
from atalaia.sdk.fidelity import percent
from atalaia.sdk.fidelity.frames import Frame, open_frame
from atalaia.sdk.fidelity.paths import walk
from atalaia.sdk.fidelity.percent import Encoding, PercentForm
from atalaia.sdk.fidelity.slots import Slot, SlotType, is_volatile, make_slot
from atalaia.sdk.fidelity.strings import EscapeForm
from atalaia.sdk.fidelity.tokens import Node, decode_string


class TemplateMismatch(AtalaiaError):
    """A frame template does not fit what it is made of, or filled with."""

    code = "template_mismatch"


class Template(msgspec.Struct, frozen=True):
    """`form` is the sample as it was on the wire; the texts between the slots are constants, to the byte."""

    action: str
    encoding: Encoding
    form: tuple[str | Slot, ...]
    escapes: EscapeForm = EscapeForm()
    percent: PercentForm | None = None
    variant: str = ""  # tells frames of one action apart that differ in their keys
    samples: int = 1
    version: int = 1  # grows with each capture that changes it; 0 is built in

    @classmethod
    def from_sample(cls, raw_text: str, variables: Mapping[str, str] | None = None) -> "Template":
        """`variables`: path -> the name its value is given by. Raises: NotJson, TemplateMismatch (no such path)."""
        return template_of(open_frame(raw_text), variables=variables or {})

    @property
    def slots(self) -> tuple[Slot, ...]:
        return tuple(part for part in self.form if isinstance(part, Slot))

    @property
    def key(self) -> str:
        """Its name among the templates of an upstream."""
        return f"{self.action}/{self.variant}" if self.variant else self.action


def action_of(root: Node) -> str:
    """The name of a frame's action; empty where it has none."""
    action = root.get("action")
    name = action.get("name") if action is not None else None
    return decode_string(name.raw) if name is not None and name.kind == "string" else ""


def template_of(frame: Frame, *, variables: Mapping[str, str], types: Mapping[str, SlotType] | None = None) -> Template:
    """Slots are `variables` (path -> name), the names known as volatile, and whatever is named like a secret."""
    form: list[str | Slot] = []
    at = 0
    for slot, node in _slots_of(frame, variables, types or {}):
        start, end = frame.span(node.start, node.end)
        form += [frame.wire[at:start], slot]
        at = end
    return Template(
        action=action_of(frame.root),
        encoding=frame.encoding,
        form=(*form, frame.wire[at:]),
        escapes=frame.escapes(),
        percent=frame.percent(),
    )


def _slots_of(frame: Frame, variables: Mapping[str, str], types: Mapping[str, SlotType]) -> list[tuple[Slot, Node]]:
    found: list[tuple[Slot, Node]] = []
    first: dict[tuple[str | None, str], str] = {}
    unknown = set(variables)
    end = -1  # of the slot last found: what is within a slot is none of its own
    for path, key, node in walk(frame.root):
        unknown.discard(path)
        if node.start >= end and (path in variables or is_volatile(key, node)):
            slot = make_slot(path, key, node, name=variables.get(path), type=types.get(path))
            other = first.setdefault((slot.maker, slot.captured), path) if slot.maker and not slot.is_secret else path
            found.append((msgspec.structs.replace(slot, same_as=other if other != path else None), node))
            end = node.end
    if unknown:
        raise TemplateMismatch("the sample has no {paths}", paths=", ".join(sorted(unknown)))
    return found


@dataclass(frozen=True, slots=True)
class Reference:
    """A template laid out again as a whole frame, with the slots' captured tokens in their places."""

    frame: Frame
    slots: Mapping[str, Slot]  # by path
    nodes: Mapping[str, Node]  # of the slots
    spans: Mapping[str, tuple[int, int]]  # path -> place on the wire
    names: Mapping[str, tuple[str, ...]]  # a slot's name -> paths


@lru_cache(maxsize=1024)
def reference(template: Template) -> Reference:
    """Raises: NotJson: a template that was changed by hand."""
    form = template.percent
    wire = "".join(
        part if isinstance(part, str) else percent.encode(part.captured, form) if form else part.captured
        for part in template.form
    )
    frame = open_frame(wire, form=form)
    names: dict[str, tuple[str, ...]] = {}
    for slot in template.slots:
        names[slot.name] = (*names.get(slot.name, ()), slot.path)
    slots = {slot.path: slot for slot in template.slots}
    nodes = {path: node for path, _, node in walk(frame.root)}
    spans = {path: frame.span(node.start, node.end) for path, node in nodes.items()}
    return Reference(frame, slots, {path: nodes[path] for path in slots}, spans, names)
