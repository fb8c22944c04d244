"""How a frame departs from what was captured, one place at a time, in words."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Literal

import msgspec

from atalaia.sdk.fidelity.frames import Frame
from atalaia.sdk.fidelity.paths import ROOT, item, members
from atalaia.sdk.fidelity.slots import Slot, describe_text, is_secret, length_of, shape_of, type_of
from atalaia.sdk.fidelity.strings import EscapeForm, quote
from atalaia.sdk.fidelity.tokens import Node, decode_string

Way = Literal[
    "type", "constant", "missing_key", "extra_key", "key_order", "duplicate_key", "escapes", "encoding", "whitespace",
    "items", "differ", "not_json",
]  # fmt: skip
SHOWN = 200  # characters of a value
NOTHING = "nothing"


class Departure(msgspec.Struct, frozen=True):
    """`str()` is `parameters.call_num: captured string "0", would send number 0`. Values of secrets are not in it."""

    path: str
    way: Way
    captured: str
    sent: str
    note: str = ""

    def __str__(self) -> str:
        said = f"{self.path}: captured {self.captured}, would send {self.sent}"
        return f"{said} ({self.note})" if self.note else said


def describe(node: Node, key: str) -> str:
    """Type and text of a value; of a secret its length and class."""
    if node.kind in {"true", "false", "null"}:
        return node.kind
    if is_secret(key):
        return f"string of {describe_text(decode_string(node.raw))}" if node.kind == "string" else f"{node.kind} ***"
    if node.members or node.items:
        return f"{node.kind} with {len(node.members or node.items)}"
    raw = node.raw if len(node.raw) <= SHOWN else node.raw[:SHOWN] + "…"
    return f"{node.kind} {raw}"


class Comparison:
    """Of a frame with a reference in which some paths are slots."""

    def __init__(self, slots: Mapping[str, Slot], escapes: EscapeForm) -> None:
        self._slots = slots
        self._escapes = escapes
        self.filled: dict[str, Node] = {}  # slots' paths -> what the frame has there

    def frames(self, captured: Frame, sent: Frame) -> Iterator[Departure]:
        if captured.encoding != sent.encoding:
            words = {"plain": "plain text", "percent": "percent-encoded text"}
            yield Departure(ROOT, "encoding", words[captured.encoding], words[sent.encoding])
        a, b = captured.root, sent.root
        yield from self._values(ROOT, "", a, b)
        yield from self._gap(ROOT, captured.text[: a.start] + "…", sent.text[: b.start] + "…")
        yield from self._gap(ROOT, "…" + captured.text[a.end :], "…" + sent.text[b.end :])

    def _values(self, path: str, key: str, captured: Node, sent: Node) -> Iterator[Departure]:
        slot = self._slots.get(path)
        if slot is not None:
            self.filled[path] = sent
            yield from self.slot(slot, captured, sent, key=key)
        elif type_of(captured) != type_of(sent):
            yield Departure(path, "type", describe(captured, key), describe(sent, key))
        elif captured.kind == "object":
            yield from self._objects(path, captured, sent)
        elif captured.kind == "array":
            yield from self._arrays(path, key, captured, sent)
        elif captured.raw != sent.raw:
            yield self._other(path, key, captured, sent)

    def _other(self, path: str, key: str, captured: Node, sent: Node) -> Departure:
        a, b = describe(captured, key), describe(sent, key)
        if captured.kind == "string" and decode_string(captured.raw) == decode_string(sent.raw):
            return Departure(path, "escapes", a, b, "the same text, escaped differently")
        return Departure(path, "constant", a, b)

    def slot(self, slot: Slot, captured: Node, sent: Node, *, key: str = "") -> Iterator[Departure]:
        if slot.type not in {"any", type_of(sent)}:
            yield Departure(slot.path, "type", describe_slot(slot, captured, key), describe(sent, key))
        elif sent.kind == "number" and slot.shape is not None and shape_of(sent) != slot.shape:
            note = f"{slot.shape}, not {shape_of(sent)}"
            yield Departure(slot.path, "type", describe_slot(slot, captured, key), describe(sent, key), note)
        elif sent.kind == "string":
            yield from self._slot_text(slot, captured, sent, key=key)

    def _slot_text(self, slot: Slot, captured: Node, sent: Node, *, key: str) -> Iterator[Departure]:
        text = decode_string(sent.raw)
        if not self._escapes.is_mixed and sent.raw != (usual := quote(text, self._escapes)):
            shown = "escapes of another form" if slot.is_secret else f"string {usual}"
            yield Departure(slot.path, "escapes", shown, describe(sent, key), "the same text, escaped differently")
        if wrong := _misfit(slot, sent):
            yield Departure(slot.path, "type", describe_slot(slot, captured, key), describe(sent, key), wrong)

    def _objects(self, path: str, captured: Node, sent: Node) -> Iterator[Departure]:
        ours, theirs = dict(members(captured, path)), dict(members(sent, path))
        once, now = (Counter(member.key for member in node.members) for node in (captured, sent))
        for inner, member in ours.items():
            if inner not in theirs and member.key not in now:
                yield Departure(inner, "missing_key", describe(member.value, member.key), NOTHING)
        for inner, member in theirs.items():
            if inner not in ours and member.key not in once:
                yield Departure(inner, "extra_key", NOTHING, describe(member.value, member.key))
        for key in once.keys() & now.keys():
            if once[key] != now[key]:
                where = next(inner for inner, member in ours.items() if member.key == key)
                yield Departure(where, "duplicate_key", _times(once[key]), _times(now[key]))
        common = [inner for inner in ours if inner in theirs]
        yield from self._order(path, common, [inner for inner in theirs if inner in ours])
        for inner in common:
            a, b = ours[inner], theirs[inner]
            if a.raw_key != b.raw_key:
                yield Departure(
                    inner, "escapes", f"key {a.raw_key}", f"key {b.raw_key}", "the same key, escaped differently"
                )
            yield from self._values(inner, a.key, a.value, b.value)
        if list(ours) == list(theirs):
            yield from self._gaps(path, captured, sent)

    def _order(self, path: str, captured: list[str], sent: list[str]) -> Iterator[Departure]:
        if captured != sent:
            names = [", ".join(inner.rpartition(".")[2] for inner in paths) for paths in (captured, sent)]
            yield Departure(path, "key_order", f"key order {names[0]}", f"key order {names[1]}")

    def _arrays(self, path: str, key: str, captured: Node, sent: Node) -> Iterator[Departure]:
        if len(captured.items) != len(sent.items):
            counts = [f"array of {len(node.items)}" for node in (captured, sent)]
            yield Departure(path, "items", counts[0], counts[1])
            return
        for index, (a, b) in enumerate(zip(captured.items, sent.items, strict=True)):
            yield from self._values(item(path, index), key, a, b)
        yield from self._gaps(path, captured, sent)

    def _gaps(self, path: str, captured: Node, sent: Node) -> Iterator[Departure]:
        for a, b in zip(_between(captured), _between(sent), strict=True):
            yield from self._gap(path, a, b)

    def _gap(self, path: str, captured: str, sent: str) -> Iterator[Departure]:
        if captured != sent:
            yield Departure(path, "whitespace", _visible(captured), _visible(sent), "whitespace differs")


def describe_slot(slot: Slot, captured: Node, key: str) -> str:
    if not slot.is_secret:
        return describe(captured, key)
    return f"string of {decode_string(slot.captured)[5:-1]}" if slot.type == "string" else f"{slot.type} ***"


def _misfit(slot: Slot, sent: Node) -> str | None:
    """Why a made value is not like the captured one: digits stay digits, and a flow's number keeps its length."""
    if slot.maker is None or slot.is_secret:
        return None
    if slot.shape == "decimal digits" and shape_of(sent) != slot.shape:
        return "not decimal digits"
    if slot.maker == "flow_id" and slot.length not in {None, length_of(sent)}:
        return f"not {slot.length} characters"
    return None


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def _between(node: Node) -> list[str]:
    """What stands between the values of an object or array, keys left out."""
    gaps: list[str] = []
    at = node.start
    for member in node.members:
        gaps += [
            node.text[at : member.key_start],
            node.text[member.key_start + len(member.raw_key) : member.value.start],
        ]
        at = member.value.end
    for value in node.items:
        gaps.append(node.text[at : value.start])
        at = value.end
    return [*gaps, node.text[at : node.end]]


def _visible(gap: str) -> str:
    return '"' + gap.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t") + '"'
