"""Residents and their tags: what is kept of each, and how tags, phone numbers, flats and names are read. Pure."""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Final

import msgspec

from atalaia.core.errors import InvalidField
from atalaia.core.translations import N_

LONGEST_NAME: Final = 120
LONGEST_FLAT: Final = 60
LONGEST_TAG: Final = 64
LONGEST_EMAIL: Final = 254
MOST_TAGS: Final = 20
_SEPARATORS: Final = re.compile(r"[\s\-:._/]+")
_PHONE_DECORATION: Final = re.compile(r"[\s().\-/]")
# E.164 allows 15 digits; no country's whole numbers have fewer than 7.
_E164: Final = re.compile(r"[1-9][0-9]{6,14}\Z", re.ASCII)
# An area code without zeros, and 8 digits, or 9 that begin with 9.
_BRAZIL: Final = re.compile(r"[1-9][1-9](9[0-9]{8}|[2-9][0-9]{7})\Z", re.ASCII)
_EMAIL: Final = re.compile(r"[^\s@<>(),;:\\\"\[\]]+@[^\s@<>(),;:\\\"\[\]]+\.[^\s@<>(),;:\\\"\[\]]+\Z")
_PHONE_HINT: Final = N_("As (11) 91234-5678, or with the country code: +351 912 345 678.")


class Tag(msgspec.Struct, frozen=True, kw_only=True):
    """`tag` as `read_tag` writes it. It was the resident's from `since_at` (none: ever since) until before `until_at`."""

    id: str
    tag: str
    resident_id: str
    label: str | None = None
    since_at: datetime | None = None
    until_at: datetime | None = None

    @property
    def is_held(self) -> bool:
        return self.until_at is None


class Resident(msgspec.Struct, frozen=True, kw_only=True):
    """`notices` are kinds that are wanted; nothing is told without `opted_in_at`. `person_id` is the account's.

    `flat_since_at`: when they moved here from another flat; none: they were entered with this one.

    `refused_phone`: the number that is known not to be on WhatsApp; another one is tried again.
    """

    id: str
    name: str
    flat: str
    flat_since_at: datetime | None = None
    phone: str | None = None
    email: str | None = None
    person_id: str | None = None
    locale: str = "pt-BR"
    opted_in_at: datetime | None = None
    notices: tuple[str, ...] = ()
    refused_phone: str | None = None
    is_active: bool = True
    created_at: datetime
    changed_at: datetime

    @property
    def is_refused(self) -> bool:
        return self.phone is not None and self.phone == self.refused_phone


def tag_key(text: str | None) -> str | None:
    """Upper case, without blanks and separators: readers and clouds write `04:a2:1b` as `04A21B`. None where nothing is left."""
    return _SEPARATORS.sub("", text).upper() or None if text else None


def read_tag(text: str, field: str = "tag") -> str:
    """As `tag_key`. Raises: InvalidField."""
    found = tag_key(text)
    if found is None:
        raise InvalidField(field, N_("This field is needed."))
    if len(found) > LONGEST_TAG or not found.isprintable():
        raise InvalidField(field, N_("{text} is not a tag."), text=text[:LONGEST_TAG])
    return found


def read_tags(texts: Iterable[str], field: str = "tags") -> tuple[str, ...]:
    """Each once, in their order. Raises: InvalidField."""
    found = tuple(dict.fromkeys(read_tag(each, field) for each in texts))
    if len(found) > MOST_TAGS:
        raise InvalidField(field, N_("at most {limit} tags"), limit=MOST_TAGS)
    return found


def read_phone(text: str, field: str = "phone") -> str | None:
    """E.164. Without a country code it is a number of Brazil, with its area code. Raises: InvalidField."""
    plain = _PHONE_DECORATION.sub("", text)
    if not plain:
        return None
    found = _abroad(plain.removeprefix("+")) if plain.startswith("+") else _at_home(plain)
    if found is None:
        raise InvalidField(
            field, N_("{text} is not a phone number with its area code."), text=text[:40], hint=_PHONE_HINT
        )
    return f"+{found}"


def _abroad(digits: str) -> str | None:
    if digits.startswith("55"):
        return digits if _BRAZIL.match(digits, 2) else None
    return digits if _E164.match(digits) else None


def _at_home(digits: str) -> str | None:
    if digits.startswith("00"):
        return _abroad(digits[2:])
    local = digits.removeprefix("0")
    if _BRAZIL.match(local):
        return f"55{local}"
    # Also 55 is an area code: such a number has two digits less than one with the country's.
    return digits if digits.startswith("55") and _BRAZIL.match(digits, 2) else None


def read_email(text: str, field: str = "email") -> str | None:
    """Raises: InvalidField."""
    plain = text.strip().lower()
    if not plain:
        return None
    if len(plain) > LONGEST_EMAIL or not plain.isprintable() or _EMAIL.match(plain) is None:
        raise InvalidField(field, N_("{text} is not an e-mail address."), text=text[:80])
    return plain


def read_name(text: str, field: str = "name") -> str:
    """Raises: InvalidField."""
    return _line(text, field, longest=LONGEST_NAME)


def read_flat(text: str, field: str = "flat") -> str:
    """Raises: InvalidField."""
    return _line(text, field, longest=LONGEST_FLAT)


def read_label(text: str, field: str = "label") -> str | None:
    """Raises: InvalidField."""
    return _line(text, field, longest=LONGEST_FLAT) if text.strip() else None


def _line(text: str, field: str, *, longest: int) -> str:
    plain = " ".join(text.split())
    if not plain:
        raise InvalidField(field, N_("This field is needed."))
    if not plain.isprintable():
        raise InvalidField(field, N_("It holds letters that can't be shown."))
    if len(plain) > longest:
        raise InvalidField(field, N_("at most {limit} letters"), limit=longest)
    return plain
