"""How long and how much a call may take."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    connect_s: float = 5.0  # name, TCP and TLS
    read_s: float = 10.0  # between two pieces of the answer
    whole_s: float = 15.0
    body_bytes: int = 8 * 1024 * 1024  # after decompression
    cuts_body: bool = False  # keep the first bytes of a larger body; otherwise BadPayload
    redirects: int = 0


DEFAULT_LIMITS = Limits()
