"""Frames made of templates."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from atalaia.core.errors import AtalaiaError
from atalaia.core.translations import N_
from atalaia.sdk.fidelity import percent
from atalaia.sdk.fidelity.departures import NOTHING, Departure
from atalaia.sdk.fidelity.slots import is_secret
from atalaia.sdk.fidelity.strings import quote
from atalaia.sdk.fidelity.templates import Reference, Template, TemplateMismatch, reference
from atalaia.sdk.fidelity.tokens import NUMBER


class FrameDeparts(AtalaiaError):
    """A frame is not as it was captured, and is not sent."""

    code = "payload_departs"

    def __init__(self, departures: Iterable[Departure]) -> None:
        self.departures = tuple(departures)
        super().__init__(
            N_("The frame is not as it was captured: {places}"),
            hint=N_(
                "Compare it with the capture: either that is of another version of the page, or what was given is wrong."
            ),
            places="; ".join(map(str, self.departures)),
        )


@dataclass(frozen=True, slots=True)
class RawNumber:
    """A number as it is to stand in the frame: `1.0` and `1` differ."""

    text: str

    def __post_init__(self) -> None:
        if not NUMBER.fullmatch(self.text):
            raise TemplateMismatch("{text} is not a number in JSON", text=self.text)


@dataclass(frozen=True, slots=True)
class WireToken:
    """A token to the byte as it was on the wire, percent-encoded where the frame is."""

    text: str


Value = str | int | RawNumber | WireToken | None


def render(template: Template, values: Mapping[str, Value]) -> str:
    """The frame as it goes on the wire; what is not given a value stays as captured, to the byte.

    `values` by path, or by the name of a slot for all the places that it has. A constant may be given too, and then stands as
    given: whether that departs from the capture `departures` tells.

    Raises:
        TemplateMismatch: a slot has no value.
        FrameDeparts: the frame has no place for a value.
    """
    whole = reference(template)
    placed = _place(whole, values)
    empty = [slot.path for slot in template.slots if slot.path not in placed]
    if empty:
        raise TemplateMismatch("{action}: no value for {paths}", action=template.key, paths=", ".join(empty))
    wire, parts, at = whole.frame.wire, list[str](), 0
    for path in sorted(placed, key=lambda path: whole.spans[path]):
        start, end = whole.spans[path]
        if start >= at:
            parts += [wire[at:start], _token(template, placed[path])]
            at = end
    return "".join(parts) + wire[at:]


def raw_token(template: Template, value: Value) -> str:
    """How a value stands in the JSON text."""
    match value:
        case RawNumber():
            return value.text
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case str():
            return quote(value, template.escapes)
    raise TemplateMismatch("{kind} can't stand in a frame", kind=type(value).__name__)


def _place(whole: Reference, values: Mapping[str, Value]) -> dict[str, Value]:
    by_name = {path: value for name, value in values.items() for path in whole.names.get(name, ())}
    strange = [key for key in values if key not in whole.names and key not in whole.spans]
    if strange:
        raise FrameDeparts(Departure(key, "extra_key", NOTHING, _described(values[key], key)) for key in strange)
    return by_name | {key: value for key, value in values.items() if key not in whole.names}


def _described(value: Value, path: str) -> str:
    if is_secret(path.rpartition(".")[2]):
        return "a secret"
    match value:
        case RawNumber() | WireToken():
            return value.text
        case str():
            return f"string {quote(value)}"
        case bool() | None:
            return {None: "null", True: "true", False: "false"}[value]
    return f"number {value}"


def _token(template: Template, value: Value) -> str:
    if isinstance(value, WireToken):
        return value.text
    raw = raw_token(template, value)
    return percent.encode(raw, template.percent) if template.percent else raw
