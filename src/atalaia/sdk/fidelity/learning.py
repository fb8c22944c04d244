"""Templates learnt from captured frames: what differs between frames of one shape is variable."""

from collections.abc import Collection, Iterable, Sequence

import msgspec

from atalaia.sdk.fidelity import percent
from atalaia.sdk.fidelity.frames import Frame, open_frame
from atalaia.sdk.fidelity.paths import walk
from atalaia.sdk.fidelity.slots import Slot, SlotType, is_volatile, length_of, shape_of, type_of
from atalaia.sdk.fidelity.strings import form_of
from atalaia.sdk.fidelity.templates import Template, action_of, reference, template_of
from atalaia.sdk.fidelity.tokens import Node


def learn(frames: Iterable[str], *, variables: Collection[str] = ()) -> list[Template]:
    """One template for each action, encoding and shape (keys, their order, whitespace), in the order of first appearance.

    `variables` are names of keys whose values change from job to job, though all samples may show the same.

    Raises: NotJson.
    """
    groups: dict[tuple[str, ...], list[Frame]] = {}
    for text in frames:
        frame = open_frame(text)
        groups.setdefault((action_of(frame.root), frame.encoding, _shape(frame)), []).append(frame)
    alike = [samples for group in groups.values() for samples in _by_spaces(group)]
    return _named([_learn_one(samples, variables) for samples in alike])


def without_secrets(text: str) -> str:
    """The frame with length and class in the place of each secret; templates learnt from it are the same. Raises: NotJson."""
    template = Template.from_sample(text)
    frame = open_frame(text)
    nodes = {path: node for path, _, node in walk(frame.root)}
    parts: list[str] = []
    for part in template.form:
        if isinstance(part, str):
            parts.append(part)
        elif part.is_secret:
            parts.append(_encoded(part.captured, template))
        else:
            node = nodes[part.path]
            parts.append(frame.wire[slice(*frame.span(node.start, node.end))])
    return "".join(parts)


def _encoded(token: str, template: Template) -> str:
    return percent.encode(token, template.percent) if template.percent else token


def _leaves(frame: Frame) -> list[tuple[str, str, Node]]:
    """(path, key, value) of all that hold no named values; an array is one, since its length may vary."""
    found: list[tuple[str, str, Node]] = []
    end = -1
    for path, key, node in walk(frame.root):
        if node.start >= end and (not node.members or is_volatile(key, node)):
            found.append((path, key, node))
            end = node.end
    return found


def _shape(frame: Frame) -> str:
    """The text of the frame as it was on the wire, without its values."""
    parts: list[str] = []
    at = 0
    for _, _, node in _leaves(frame):
        start, end = frame.span(node.start, node.end)
        parts.append(frame.wire[at:start])
        at = end
    return "\x00".join([*parts, frame.wire[at:]])


def _by_spaces(samples: list[Frame]) -> list[list[Frame]]:
    """Apart where some write a space as `+` and some as `%20`: no frame can be read both ways."""
    plus = [frame for frame in samples if frame.plus_space]
    if not plus or not any("%20" in frame.wire for frame in samples):
        return [samples]
    return [[frame for frame in samples if not frame.plus_space], plus]


def _learn_one(samples: Sequence[Frame], variables: Collection[str]) -> Template:
    columns = list(zip(*(_leaves(frame) for frame in samples), strict=True))
    names: dict[str, str] = {}
    types: dict[str, SlotType] = {}
    for column in columns:
        path, key, node = column[0]
        kinds = {type_of(node) for _, _, node in column}
        if key in variables or len({node.raw for _, _, node in column}) > 1:
            if not is_volatile(key, node):
                names[path] = key or path
            types[path] = kinds.pop() if len(kinds) == 1 else "any"
    made = template_of(samples[0], variables=names, types=types)
    escapes = form_of([raw for frame in samples for raw in frame.strings()])
    form = tuple(part if isinstance(part, str) else _held_by_all(part, samples) for part in made.form)
    wire = percent.form_of("".join(frame.wire for frame in samples)) if made.percent else None
    return msgspec.structs.replace(made, form=form, escapes=escapes, percent=wire, samples=len(samples))


def _held_by_all(slot: Slot, samples: Sequence[Frame]) -> Slot:
    """What a slot demands of its value is what all samples have."""
    if len(samples) == 1:
        return slot
    nodes = [{path: node for path, _, node in walk(frame.root)} for frame in samples]
    same = all(slot.same_as and each[slot.path].raw == each[slot.same_as].raw for each in nodes)
    shapes = {shape_of(each[slot.path]) for each in nodes}
    lengths = {length_of(each[slot.path]) for each in nodes}
    return msgspec.structs.replace(
        slot,
        same_as=slot.same_as if same else None,
        shape=slot.shape if len(shapes) == 1 else None,
        length=slot.length if len(lengths) == 1 else None,
    )


def _named(templates: Sequence[Template]) -> list[Template]:
    """Variants of one action are called by the keys that not all of them have."""
    taken: set[str] = set()
    named = []
    for template in templates:
        keys = [_keys(other) for other in templates if other.action == template.action]
        variant = ",".join(sorted(_keys(template) - keys[0].intersection(*keys)))
        made, count = msgspec.structs.replace(template, variant=variant), 1
        while made.key in taken:
            count += 1
            made = msgspec.structs.replace(template, variant=f"{variant}#{count}")
        taken.add(made.key)
        named.append(made)
    return named


def _keys(template: Template) -> set[str]:
    return {key for _, key, _ in walk(reference(template).frame.root)}
