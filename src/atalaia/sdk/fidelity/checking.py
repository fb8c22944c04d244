"""A frame held against its template before it is sent; two captures held against each other for people."""

from collections.abc import Iterator, Mapping, Sequence

from atalaia.sdk.fidelity import percent
from atalaia.sdk.fidelity.departures import Comparison, Departure
from atalaia.sdk.fidelity.frames import Frame, open_frame
from atalaia.sdk.fidelity.paths import ROOT, walk
from atalaia.sdk.fidelity.rendering import FrameDeparts, WireToken
from atalaia.sdk.fidelity.slots import Slot
from atalaia.sdk.fidelity.templates import Reference, Template, reference
from atalaia.sdk.fidelity.tokens import NUMBER, STRING, Node, NotJson

_NEAR = 24  # characters shown around a place that differs


def departures(template: Template, text: str) -> list[Departure]:
    """All ways in which a frame departs from its template; none, and it may be sent."""
    whole = reference(template)
    if _fits(template, whole, text):
        return []
    try:
        sent = open_frame(text, form=template.percent)
    except NotJson as error:
        return [_not_json(whole.frame.root, error)]
    comparison = Comparison(whole.slots, template.escapes)
    found = list(comparison.frames(whole.frame, sent))
    found += _made_alike(template, comparison.filled)
    return found or list(_wire(template, whole, sent))


def check(template: Template, text: str) -> None:
    """Raises: FrameDeparts."""
    if found := departures(template, text):
        raise FrameDeparts(found)


def nearest(templates: Sequence[Template], text: str) -> tuple[Template, list[Departure]] | None:
    """The template that a frame departs from the least; None where there are none."""
    held = [(template, departures(template, text)) for template in templates]
    return min(held, key=lambda pair: len(pair[1]), default=None)


def diff(a_text: str, b_text: str) -> list[Departure]:
    """How frame B differs from A; values that are new for each frame, and secrets, are compared by type alone."""
    try:
        return departures(Template.from_sample(a_text), b_text)
    except NotJson as error:
        if a_text == b_text:
            return []
        return [Departure(ROOT, "not_json", f"text that is not JSON (at {error.position}: {error.why})", "other text")]


def values_of(template: Template, text: str) -> dict[str, WireToken]:
    """What a frame has in the template's slots, to the byte, by path. Raises: NotJson."""
    frame = open_frame(text, form=template.percent)
    paths = {slot.path for slot in template.slots}
    return {
        path: WireToken(frame.wire[slice(*_span(frame, node))]) for path, _, node in walk(frame.root) if path in paths
    }


def _fits(template: Template, whole: Reference, text: str) -> bool:
    """The usual answer by the short way: the constants to the byte, and one fitting token in each slot."""
    if template.encoding != "plain":
        return False
    comparison = Comparison(whole.slots, template.escapes)
    at = 0
    for part in template.form:
        if isinstance(part, str):
            if not text.startswith(part, at):
                return False
            at += len(part)
            continue
        token = STRING.match(text, at) or NUMBER.match(text, at)
        if token is None:
            return False
        node = comparison.filled[part.path] = Node("string" if text[at] == '"' else "number", text, at, token.end())
        if any(comparison.slot(part, whole.nodes[part.path], node)):
            return False
        at = token.end()
    return at == len(text) and not any(_made_alike(template, comparison.filled))


def _not_json(captured: Node, error: NotJson) -> Departure:
    return Departure(ROOT, "not_json", captured.kind, f"text that is not JSON (at {error.position}: {error.why})")


def _made_alike(template: Template, filled: Mapping[str, Node]) -> Iterator[Departure]:
    """One number is at two places of a frame, and has to be the same at both."""
    for slot in template.slots:
        here, there = filled.get(slot.path), filled.get(slot.same_as or "")
        if here is not None and there is not None and here.raw != there.raw:
            yield Departure(slot.path, "differ", f"the same as {slot.same_as}", "another", f"{slot.name} differs")


def _wire(template: Template, whole: Reference, sent: Frame) -> Iterator[Departure]:
    """What the tokens don't tell: the percent-encoding. The constants have to be there to the byte."""
    nodes = {path: node for path, _, node in walk(sent.root) if path in whole.slots}
    at = 0
    for part in template.form:
        if isinstance(part, Slot):
            start, at = _span(sent, nodes[part.path])
            yield from _slot_wire(template, part, sent.wire[start:at], nodes[part.path])
            continue
        end = min((start for start, _ in (_span(sent, node) for node in nodes.values()) if start >= at), default=None)
        if sent.wire[at:end] != part:
            yield _constant_wire(part, sent.wire[at:end])


def _span(frame: Frame, node: Node) -> tuple[int, int]:
    return frame.span(node.start, node.end)


def _slot_wire(template: Template, slot: Slot, wire: str, node: Node) -> Iterator[Departure]:
    form = template.percent
    if form is None or form.is_mixed:
        return
    usual = percent.encode(node.raw, form)
    if usual != wire and slot.is_secret:
        yield Departure(slot.path, "encoding", "a secret", "a secret", "percent-encoded differently")
    elif usual != wire:
        yield Departure(slot.path, "encoding", usual, wire, "percent-encoded differently")


def _constant_wire(captured: str, sent: str) -> Departure:
    pairs = zip(captured, sent, strict=False)
    place = next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(captured), len(sent)))
    start = max(0, place - 2)
    shown = [f'"{text[start : start + _NEAR]}"' for text in (captured, sent)]
    return Departure(ROOT, "encoding", shown[0], shown[1], "percent-encoded differently")
