"""Secrets that a client presents: API keys, session tokens, one-time links. Only their hashes are kept."""

import hashlib
import secrets

import msgspec

from atalaia.core.errors import InvalidField
from atalaia.core.translations import N_

KEY_MARK = "ata"
KEYS_TOPIC = "keys"  # told live when one is revoked
_KEY_ID_BYTES = 6
_KEY_SECRET_BYTES = 32
# Shorter ones are taken over from the systems that people use today, with a warning.
GIVEN_KEY_GOOD_LENGTH = 32
GIVEN_KEY_MIN_LENGTH = 8
GIVEN_KEY_MAX_LENGTH = 512
_SHOWN_OF_GIVEN_KEY = 4


class NewKey(msgspec.Struct, frozen=True, kw_only=True):
    """`value` is shown once; `prefix` is what people find it by; `sha256` is what is stored."""

    value: str
    prefix: str
    sha256: bytes
    is_weak: bool = False

    def __repr__(self) -> str:
        return f"NewKey({self.prefix})"


def digest(value: str) -> bytes:
    """SHA-256: enough for values of 256 random bits, which nobody can try out."""
    return hashlib.sha256(value.encode()).digest()


def make_key() -> NewKey:
    """A key `ata_<id>_<secret>`: the mark lets secret scanners find it, the id lets people."""
    prefix = f"{KEY_MARK}_{secrets.token_hex(_KEY_ID_BYTES)}"
    value = f"{prefix}_{secrets.token_hex(_KEY_SECRET_BYTES)}"
    return NewKey(value=value, prefix=prefix, sha256=digest(value))


def adopt_key(value: str) -> NewKey:
    """A key that is in use elsewhere and goes on being valid here.

    Raises:
        InvalidField: it is so short, or of such characters, that it can't be a key in a header.
    """
    if not GIVEN_KEY_MIN_LENGTH <= len(value) <= GIVEN_KEY_MAX_LENGTH:
        raise InvalidField(
            "value",
            N_("a key needs {minimum} to {maximum} characters"),
            minimum=GIVEN_KEY_MIN_LENGTH,
            maximum=GIVEN_KEY_MAX_LENGTH,
        )
    if not value.isascii() or not value.isprintable() or " " in value:
        raise InvalidField("value", N_("a key may have printable ASCII characters only, without spaces"))
    return NewKey(
        value=value,
        prefix=f"{value[:_SHOWN_OF_GIVEN_KEY]}…",
        sha256=digest(value),
        is_weak=len(value) < GIVEN_KEY_GOOD_LENGTH,
    )


def make_token() -> tuple[str, bytes]:
    """A random token for a cookie or a link, and the hash to store."""
    value = secrets.token_urlsafe(32)
    return value, digest(value)
