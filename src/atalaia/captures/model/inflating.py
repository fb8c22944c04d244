"""permessage-deflate: messages of a WebSocket unpacked, with and without context takeover.

Source: RFC 7692
"""

import zlib
from typing import Final

from atalaia.captures.model.recordings import MAX_MESSAGE_BYTES

_TAIL: Final = b"\x00\x00\xff\xff"
_MAX_WINDOW_BITS: Final = 15


class Inflater:
    """One direction of one socket."""

    def __init__(self, *, keeps_context: bool, window_bits: int = _MAX_WINDOW_BITS) -> None:
        # zlib can't make a window of 2^8; a larger one reads the same stream.
        self._window_bits = max(window_bits, 9)
        self._keeps_context = keeps_context
        self._unpacker = zlib.decompressobj(-self._window_bits)

    def inflate(self, packed: bytes) -> bytes:
        """Raises: ValueError (not deflate, or over the limit of a message)."""
        if not self._keeps_context:
            self._unpacker = zlib.decompressobj(-self._window_bits)
        try:
            plain = self._unpacker.decompress(packed + _TAIL, MAX_MESSAGE_BYTES + 1)
        except zlib.error as error:
            raise ValueError("a packed message can't be unpacked") from error
        if len(plain) > MAX_MESSAGE_BYTES:
            raise ValueError("a message unpacks to more than is read here")
        if self._unpacker.eof:  # a final block: what follows begins anew
            self._unpacker = zlib.decompressobj(-self._window_bits)
        return plain


def inflaters(extensions: str) -> tuple[Inflater, Inflater] | None:
    """(client's, server's) for what the server's Sec-WebSocket-Extensions agreed to; None where nothing is packed."""
    for offer in extensions.lower().split(","):
        name, *parameters = (part.strip() for part in offer.split(";"))
        if name != "permessage-deflate":
            continue
        given = dict(part.partition("=")[::2] for part in parameters)
        return _inflater(given, "client"), _inflater(given, "server")
    return None


def _inflater(given: dict[str, str], side: str) -> Inflater:
    bits = given.get(f"{side}_max_window_bits", "").strip('" ')
    return Inflater(
        keeps_context=f"{side}_no_context_takeover" not in given,
        window_bits=int(bits) if bits.isdigit() and 8 <= int(bits) <= _MAX_WINDOW_BITS else _MAX_WINDOW_BITS,  # noqa: PLR2004 - as RFC 7692 has it
    )
