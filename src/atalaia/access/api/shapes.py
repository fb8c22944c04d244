"""What the JSON API of access takes and gives."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar.params import QueryParameter

from atalaia.access.model import ApiKey, AuditEntry, Person
from atalaia.core.permissions import Role
from atalaia.web.cursors import MAX_LIMIT

Limit = Annotated[int, QueryParameter(ge=1, le=MAX_LIMIT)]
Cursor = Annotated[str | None, QueryParameter(description="`next` of the page before")]


class KeyOut(msgspec.Struct, kw_only=True):
    """A key without its value. `prefix` is how it begins."""

    id: str
    name: str
    prefix: str
    scopes: list[str]
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    revoked_at: datetime | None
    used_at: datetime | None


class NewKeyIn(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`value`: a key that is in use elsewhere and goes on being valid (32 characters or more)."""

    name: str
    scopes: list[str]
    expires_at: datetime | None = None
    value: str | None = None


class NewKeyOut(KeyOut, kw_only=True):
    """`key` is shown this once. `is_weak`: a given value is so short that it should be replaced."""

    key: str
    is_weak: bool


class PersonOut(msgspec.Struct, kw_only=True):
    id: str
    email: str
    name: str
    role: Role
    is_disabled: bool
    has_password: bool
    has_second_factor: bool
    created_at: datetime
    signed_in_at: datetime | None


class NewPersonIn(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    email: str
    role: Role
    name: str = ""


class PersonIn(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What is left out stays as it is."""

    name: str | None = None
    role: Role | None = None
    is_disabled: bool | None = None


class LinkOut(msgspec.Struct, kw_only=True):
    """An address, good once, at which the person chooses a password."""

    url: str
    expires_at: datetime


class InvitedOut(msgspec.Struct, kw_only=True):
    person: PersonOut
    link: LinkOut | None


class AuditOut(msgspec.Struct, kw_only=True):
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


def key_out(key: ApiKey) -> KeyOut:
    return KeyOut(**_key_fields(key))


def new_key_out(key: ApiKey, *, value: str, is_weak: bool) -> NewKeyOut:
    return NewKeyOut(key=value, is_weak=is_weak, **_key_fields(key))


def person_out(person: Person) -> PersonOut:
    return PersonOut(
        id=person.id,
        email=person.email,
        name=person.name,
        role=person.role,
        is_disabled=person.is_disabled,
        has_password=person.has_password,
        has_second_factor=person.has_totp,
        created_at=person.created_at,
        signed_in_at=person.signed_in_at,
    )


def audit_out(entry: AuditEntry) -> AuditOut:
    return AuditOut(**msgspec.structs.asdict(entry))


def _key_fields(key: ApiKey) -> dict[str, Any]:
    return {**msgspec.structs.asdict(key), "scopes": list(key.scopes)}
