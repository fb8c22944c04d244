"""A lease's token: the job's number, the lease's number, and what can't be guessed. Pure."""

import re
import secrets
from collections.abc import Iterable
from hashlib import blake2b
from typing import NamedTuple

from atalaia.core.errors import InvalidField
from atalaia.core.translations import N_

SECRET_BYTES = 9
MAX_NUMBER = 2**63


class Token(NamedTuple):
    seq: int
    lease: int
    secret: str


def new_secret() -> str:
    return secrets.token_urlsafe(SECRET_BYTES)


def write_token(seq: int, lease: int, secret: str) -> str:
    return f"{seq}.{lease}.{secret}"


def read_token(text: str) -> Token:
    """Raises InvalidField: it never was a token."""
    seq, _, rest = text.partition(".")
    lease, _, secret = rest.partition(".")
    try:
        token = Token(int(seq), int(lease), secret)
    except ValueError as error:
        raise InvalidField("token", N_("this is not a token of a lease")) from error
    if not 0 < token.seq < MAX_NUMBER or not 0 <= token.lease < MAX_NUMBER or not secret or not secret.isascii():
        raise InvalidField("token", N_("this is not a token of a lease"))
    return token


# As `write_token` writes one, and an id behind it; other ways to write the same numbers are read by `read_token` alone.
_WITH_ID = re.compile(r"[1-9][0-9]{0,17}\.[0-9]{1,18}\.[!-~]+ [!-~]+")


def are_tokens_with_ids(texts: Iterable[str]) -> bool:
    return all(map(_WITH_ID.fullmatch, texts))


def fingerprint(*parts: bytes) -> int:
    """Of what was said, to know it when it comes again: a signed number of 64 bits."""
    digest = blake2b(b"\0".join(parts), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
