"""A file becomes a recording: its format noticed by what is in it, read, and its secrets taken out."""

from collections.abc import Callable, Sequence
from typing import Final

from atalaia.captures.model.actions import About, about, glance
from atalaia.captures.model.har import read_har
from atalaia.captures.model.net_export import is_net_export, read_net_export
from atalaia.captures.model.recordings import CaptureRefused, Frame, Message, Note, Reading, Recording
from atalaia.captures.model.secrets import Find, Redactor
from atalaia.captures.model.sniffer import is_sniffer, read_sniffer
from atalaia.core.translations import N_

MAX_FILE_BYTES: Final = 64 * 1024 * 1024
_HEAD_BYTES: Final = 4_000_000
_GZIP: Final = b"\x1f\x8b"
_ZIP: Final = b"PK\x03\x04"


def read_recording(data: bytes) -> Recording:
    """What a file has of messages, without secrets; some seconds of work for a large one.

    Raises:
        CaptureRefused: the file is of no known format, or nothing in it can be used; says what to do instead.
    """
    reading = _reader_of(data)(data)
    return without_secrets(reading)


def without_secrets(reading: Reading) -> Recording:
    """A recording of which nothing is left that signs anybody in."""
    redactor, named = _learned(reading)
    known = [
        about(message.text) if message.direction == "sent" else glance(message.text) for message in reading.messages
    ]
    actions = _actions(reading.messages, known)
    addresses: dict[str, str] = {}
    frames = []
    for n, (message, said, action, finds) in enumerate(zip(reading.messages, known, actions, named, strict=True), 1):
        address = addresses.get(message.address)
        if address is None:
            address = addresses[message.address] = _storable(redactor.address(message.address))
        frames.append(
            Frame(
                n=n,
                direction=message.direction,
                via=message.via,
                address=address,
                action=action,
                flow_id=said.flow_id,
                text=redactor.text(message.text, finds),
                at=message.at,
            )
        )
    return Recording(reading.format, _storable(redactor.text(reading.browser)), frames, _distinct(reading.notes))


def _reader_of(data: bytes) -> Callable[[bytes], Reading]:
    head = data[:_HEAD_BYTES].removeprefix(b"\xef\xbb\xbf").lstrip()
    if head.startswith((_GZIP, _ZIP)):
        raise CaptureRefused(N_("this file is packed"), hint=N_("Unpack it first, then import the file in it."))
    if is_net_export(data):
        return read_net_export
    if head.startswith(b"{") and b'"log"' in head and not head.startswith(b'{"atalaia_capture":'):
        return read_har
    if is_sniffer(data):
        return read_sniffer
    raise CaptureRefused(
        N_("this is neither HAR, nor a net-export log, nor lines of the sniffer"),
        hint=N_("docs/guides/captures.md says how each is recorded."),
    )


def _learned(reading: Reading) -> tuple[Redactor, list[list[Find]]]:
    """All that is to be looked for, and what each message has under a telling name."""
    redactor = Redactor()
    for address in {message.address for message in reading.messages}:
        redactor.learn_address(address)
    for name, value in set(reading.headers):
        redactor.learn_header(name, value)
    return redactor, [redactor.learn(message.text) for message in reading.messages]


def _actions(messages: Sequence[Message], known: Sequence[About]) -> list[str | None]:
    """Each message's action: its own, or that of the message it answers (the same mark, or the same HTTP request)."""
    asked: dict[tuple[int, str], str] = {}
    actions: list[str | None] = []
    for message, said in zip(messages, known, strict=True):
        mark = (message.connection, "" if message.via == "http" else said.mark or "-")
        if message.direction == "sent":
            if said.action is not None:
                asked[mark] = said.action
            actions.append(said.action)
        else:
            actions.append(said.action or asked.get(mark))
    return actions


def _storable(text: str) -> str:
    """No database takes a NUL or half a surrogate in a text."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def _distinct(notes: Sequence[Note]) -> list[Note]:
    found: list[Note] = []
    for note in notes:
        if note not in found:
            found.append(note)
    return found
