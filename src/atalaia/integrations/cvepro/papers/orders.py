"""What is said to the process that draws, and what comes back. Plain values: msgpack between the two."""

from datetime import datetime
from typing import Final

import msgspec

from atalaia.core.translations import Locale
from atalaia.integrations.cvepro.model.reports import Format
from atalaia.integrations.cvepro.model.statement import FlatStatement, Statement, Sums

LENGTH_BYTES: Final = 4


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """`condominium` and `address` as the papers' heads have them; `made_at` is printed on each page."""

    locale: Locale
    condominium: str
    address: str
    made_at: datetime


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """One paper; `flat` None: of the whole condominium."""

    flat: str | None
    format: Format


class Order(msgspec.Struct, frozen=True, kw_only=True):
    statement: Statement
    look: Look
    wanted: tuple[Wanted, ...]

    def of(self, flat: str) -> FlatStatement:
        """Also of one that nobody charged for."""
        return self.statement.of(flat) or FlatStatement(flat=flat, residents=(), lines=(), sums=Sums())


class Printed(msgspec.Struct, frozen=True, kw_only=True):
    flat: str | None
    format: Format
    title: str
    content: bytes


def framed(value: msgspec.Struct) -> bytes:
    body = msgspec.msgpack.encode(value)
    return len(body).to_bytes(LENGTH_BYTES) + body
