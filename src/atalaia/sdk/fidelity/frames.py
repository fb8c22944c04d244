"""A frame as it came: its encoding seen through, every token with its place on the wire."""

from dataclasses import dataclass

from atalaia.sdk.fidelity import percent
from atalaia.sdk.fidelity.paths import walk
from atalaia.sdk.fidelity.percent import Encoding, PercentForm
from atalaia.sdk.fidelity.strings import EscapeForm
from atalaia.sdk.fidelity.strings import form_of as escapes_of
from atalaia.sdk.fidelity.tokens import Node, parse

PADDING = "\x00 \t\r\n"


@dataclass(frozen=True, slots=True)
class Frame:
    wire: str
    encoding: Encoding
    root: Node  # of the decoded text
    starts: list[int] | None  # where each of its characters begins on the wire; None: where it stands

    @property
    def text(self) -> str:
        return self.root.text

    @property
    def plus_space(self) -> bool:
        """Whether it writes spaces as `+`."""
        return self.encoding == "percent" and percent.is_plus_for_space(self.wire)

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The place on the wire of `text[start:end]`."""
        return (start, end) if self.starts is None else (self.starts[start], self.starts[end])

    def strings(self) -> list[str]:
        """All string tokens, keys too."""
        nodes = [node for _, _, node in walk(self.root)]
        keys = [member.raw_key for node in nodes for member in node.members]
        return keys + [node.raw for node in nodes if node.kind == "string"]

    def escapes(self) -> EscapeForm:
        return escapes_of(self.strings())

    def percent(self) -> PercentForm | None:
        return percent.form_of(self.wire) if self.encoding == "percent" else None


def open_frame(wire: str, *, form: PercentForm | None = None) -> Frame:
    """Raises: NotJson. `form` says how a percent-encoded one writes spaces, where that is known."""
    if percent.encoding_of(wire) == "plain":
        return Frame(wire, "plain", parse(wire), None)
    plus_space = form.plus_space if form is not None else percent.is_plus_for_space(wire)
    decoded = percent.decode(wire, plus_space=plus_space)
    return Frame(wire, "percent", parse(decoded.text), decoded.starts)


def plain_text(wire: str) -> str:
    """The JSON text of a frame that came in: padding with NULs and percent-encoding taken off. Raises: NotJson."""
    return open_frame(wire.strip(PADDING)).text
