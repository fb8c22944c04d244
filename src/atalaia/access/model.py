"""People, sessions, keys and entries of the audit log, as the rest of the hub sees them."""

from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from atalaia.core.permissions import ROLE_PERMISSIONS, Principal, Role, permissions_of_scopes


class TokenKind(StrEnum):
    FIRST_START = "first_start"
    RESET = "reset"  # also an invitation: the first password is chosen the same way
    SECOND_FACTOR = "second_factor"


TOKEN_TTL_S: dict[TokenKind, float] = {
    TokenKind.FIRST_START: 7 * 86400,
    TokenKind.RESET: 86400,
    TokenKind.SECOND_FACTOR: 600,
}


class Person(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    email: str
    name: str
    role: Role
    is_disabled: bool
    has_password: bool
    has_totp: bool
    locale: str | None
    theme: str | None
    timezone: str | None
    created_at: datetime
    signed_in_at: datetime | None

    @property
    def may_sign_in(self) -> bool:
        return not self.is_disabled and self.role is not Role.MACHINE


class Secrets(msgspec.Struct, frozen=True, kw_only=True):
    """What a person proves to be one with; never leaves this slice."""

    password_hash: str | None
    totp_secret: bytes | None
    totp_pending: bytes | None
    totp_last_step: int | None

    def __repr__(self) -> str:
        return "Secrets(***)"


class Session(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    person_id: str
    created_at: datetime
    seen_at: datetime
    address: str
    user_agent: str


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    name: str
    prefix: str
    scopes: tuple[str, ...]
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    revoked_at: datetime | None
    used_at: datetime | None = None

    def is_valid(self, now: datetime) -> bool:
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    at: datetime
    actor_kind: str
    actor_id: str
    actor_name: str
    action: str
    object: str
    before: Any
    after: Any
    address: str | None


class AuditFilter(msgspec.Struct, frozen=True, kw_only=True):
    """`action` and `object` match from their beginning: `check` finds `check.created`; `actor` is an id or part of a name.

    `or_actions`: whole actions that match besides, found by their words.
    """

    actor: str = ""
    action: str = ""
    or_actions: tuple[str, ...] = ()
    object: str = ""
    from_at: datetime | None = None
    to_at: datetime | None = None


def principal_of_person(person: Person, *, session_id: str | None = None) -> Principal:
    return Principal(
        id=person.id,
        kind="person",
        name=person.name or person.email,
        permissions=ROLE_PERMISSIONS[person.role],
        role=person.role,
        session_id=session_id,
        locale=person.locale,
        timezone=person.timezone,
        theme=person.theme,
    )


def principal_of_key(key: ApiKey) -> Principal:
    scopes = frozenset(key.scopes)
    return Principal(
        id=key.id,
        kind="key",
        name=key.name,
        permissions=permissions_of_scopes(scopes),
        role=Role.MACHINE,
        scopes=scopes,
    )
