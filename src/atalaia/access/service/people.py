"""People: made, invited, changed, shut out; by an admin or from the command line."""

from datetime import datetime, timedelta
from typing import Any

import msgspec

from atalaia.access.audit import record
from atalaia.access.credentials import make_token
from atalaia.access.model import TOKEN_TTL_S, Person, TokenKind
from atalaia.access.queries import people as queries
from atalaia.access.queries import ways_in
from atalaia.access.service.second_factor import clear as clear_second_factor
from atalaia.core.clock import Clock
from atalaia.core.errors import Conflict, InvalidField, NotFound
from atalaia.core.ids import new_id
from atalaia.core.permissions import Principal, Role
from atalaia.core.translations import N_
from atalaia.sdk.transaction import Tx
from atalaia.store.store import Store
from atalaia.web.cursors import decode_cursor, page_of

MAX_NAME = 100
# RFC 5321, 4.5.3.1.3, less the angle brackets.
MAX_EMAIL = 254
CHOOSE_PASSWORD = "/choose-password"  # noqa: S105 - an address


class PersonChange(msgspec.Struct, frozen=True, kw_only=True):
    """What is None stays as it is."""

    name: str | None = None
    role: Role | None = None
    is_disabled: bool | None = None


class PasswordLink(msgspec.Struct, frozen=True, kw_only=True):
    """`path` with its token is good once; to be put behind the hub's public address."""

    path: str
    expires_at: datetime

    def __repr__(self) -> str:
        return "PasswordLink(***)"


def normal_email(text: str) -> str:
    """In lower case, without blanks around.

    Raises:
        InvalidField: it can't be an e-mail address.
    """
    email = text.strip().lower()
    local_part, at, domain = email.rpartition("@")
    is_plain = email.isprintable() and not any(c in email for c in ' ,;<>"()')
    if not (at and local_part and domain and is_plain and len(email) <= MAX_EMAIL) or "@" in local_part:
        raise InvalidField("email", N_("this is not an e-mail address"))
    return email


def parse_role(text: str) -> Role:
    try:
        return Role(text.strip().upper())
    except ValueError as error:
        raise InvalidField("role", N_("a role is one of {roles}"), roles=", ".join(Role)) from error


def create_person(
    tx: Tx,
    actor: Principal,
    *,
    email: str,
    role: Role,
    now: datetime,
    name: str = "",
    password_hash: str | None = None,
    address: str | None = None,
) -> Person:
    """Add a person; without `password_hash` they choose a password by a link (`make_password_link`).

    Raises:
        InvalidField: e-mail or name can't be.
        Conflict: there is somebody with this address.
    """
    email = normal_email(email)
    person_id = new_id()
    values = {
        "id": person_id,
        "email": email,
        "name": _checked_name(name),
        "role": role.value,
        "password_hash": password_hash,
        "is_disabled": False,
        "created_at": now,
    }
    if not queries.add(tx, values):
        raise Conflict(N_("there is an account with this e-mail address already"), code="email_taken")
    after = {"email": email, "name": values["name"], "role": role.value}
    record(tx, actor, "person.created", f"person:{person_id}", after=after, address=address, now=now)
    return get_person(tx, person_id)


def get_person(tx: Tx, person_id: str) -> Person:
    person = queries.find_by_id(tx, person_id)
    if person is None:
        raise NotFound(N_("there is no such person"))
    return person


def find_person(tx: Tx, email: str) -> Person:
    """Raises NotFound."""
    person = queries.find_by_email(tx, normal_email(email))
    if person is None:
        raise NotFound(N_("there is no such person"))
    return person


def change_person(
    tx: Tx, actor: Principal, person_id: str, *, change: PersonChange, now: datetime, address: str | None = None
) -> Person:
    """Change name, role, or whether they may come in; a shut-out person's sessions end.

    Raises:
        NotFound, InvalidField.
        Conflict: nobody would be left to administer the hub.
    """
    person = get_person(tx, person_id)
    values: dict[str, Any] = {}
    if change.name is not None and change.name.strip() != person.name:
        values["name"] = _checked_name(change.name)
    if change.role is not None and change.role is not person.role:
        values["role"] = change.role.value
    if change.is_disabled is not None and change.is_disabled != person.is_disabled:
        values["is_disabled"] = change.is_disabled
    if not values:
        return person
    _check_admin_left(tx, person, values)
    queries.change(tx, person_id, values)
    if values.get("is_disabled"):
        _shut_out(tx, person_id)
    before = {name: getattr(person, name) for name in values}
    record(tx, actor, "person.changed", f"person:{person_id}", before=before, after=values, address=address, now=now)
    return get_person(tx, person_id)


def make_password_link(
    tx: Tx, actor: Principal, person_id: str, *, now: datetime, address: str | None = None
) -> PasswordLink:
    """A link by which a person chooses a (first or new) password; earlier ones stop working.

    Raises:
        NotFound: no such person.
        Conflict: this person doesn't sign in.
    """
    person = get_person(tx, person_id)
    if not person.may_sign_in:
        raise Conflict(N_("this person is disabled, or a machine, and does not sign in"))
    link = new_password_link(tx, person_id, now=now)
    record(tx, actor, "person.password_link_made", f"person:{person_id}", address=address, now=now)
    return link


def new_password_link(tx: Tx, person_id: str, *, now: datetime) -> PasswordLink:
    token, sha256 = make_token()
    expires_at = now + timedelta(seconds=TOKEN_TTL_S[TokenKind.RESET])
    ways_in.drop_tokens(tx, kind=TokenKind.RESET, person_id=person_id)
    ways_in.add_token(tx, sha256, kind=TokenKind.RESET, person_id=person_id, expires_at=expires_at)
    return PasswordLink(path=f"{CHOOSE_PASSWORD}?token={token}", expires_at=expires_at)


def remove_second_factor(
    tx: Tx, actor: Principal, person_id: str, *, now: datetime, address: str | None = None
) -> None:
    """For somebody who has lost phone and recovery codes."""
    get_person(tx, person_id)
    clear_second_factor(tx, person_id)
    record(tx, actor, "person.second_factor_removed", f"person:{person_id}", address=address, now=now)


def list_people(tx: Tx, *, limit: int, after: str | None = None, text: str = "") -> list[Person]:
    return queries.page(tx, limit=limit, after=after, text=text)


def active_people(tx: Tx, *, role: Role | None = None) -> list[Person]:
    """Those who may sign in, by name; of one role, or of all."""
    return [each for each in queries.all_by_name(tx, role=role) if each.may_sign_in]


class PeopleService:
    def __init__(self, store: Store, *, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def page(self, *, cursor: str | None, limit: int, text: str = "") -> tuple[list[Person], str | None]:
        """By e-mail address, and the cursor of the next page."""
        key = decode_cursor(cursor, str)
        after = key[0] if key else None
        rows = await self._store.read(lambda tx: list_people(tx, limit=limit + 1, after=after, text=text))
        return page_of(rows, limit, lambda person: (person.email,))

    async def get(self, person_id: str) -> Person:
        return await self._store.read(lambda tx: get_person(tx, person_id))

    async def invite(
        self, actor: Principal, *, email: str, name: str, role: Role, address: str | None = None
    ) -> tuple[Person, PasswordLink | None]:
        """Add a person; the link is how they choose their password (none for a machine)."""
        now = self._clock.now()

        def unit(tx: Tx) -> tuple[Person, PasswordLink | None]:
            person = create_person(tx, actor, email=email, name=name, role=role, now=now, address=address)
            return person, new_password_link(tx, person.id, now=now) if person.may_sign_in else None

        return await self._store.write(unit)

    async def change(
        self, actor: Principal, person_id: str, *, change: PersonChange, address: str | None = None
    ) -> Person:
        now = self._clock.now()
        return await self._store.write(
            lambda tx: change_person(tx, actor, person_id, change=change, now=now, address=address)
        )

    async def make_password_link(self, actor: Principal, person_id: str, *, address: str | None = None) -> PasswordLink:
        now = self._clock.now()
        return await self._store.write(lambda tx: make_password_link(tx, actor, person_id, now=now, address=address))

    async def remove_second_factor(self, actor: Principal, person_id: str, *, address: str | None = None) -> None:
        now = self._clock.now()
        await self._store.write(lambda tx: remove_second_factor(tx, actor, person_id, now=now, address=address))


def _checked_name(name: str) -> str:
    name = name.strip()
    if len(name) > MAX_NAME or not name.isprintable():
        raise InvalidField("name", N_("a name has at most {maximum} printable characters"), maximum=MAX_NAME)
    return name


def _check_admin_left(tx: Tx, person: Person, values: dict[str, Any]) -> None:
    is_admin_now = person.role is Role.ADMIN and not person.is_disabled
    role = values.get("role", person.role.value)
    stays_admin = role == Role.ADMIN.value and not values.get("is_disabled", person.is_disabled)
    if is_admin_now and not stays_admin and queries.lock_admins(tx) == [person.id]:
        raise Conflict(N_("somebody has to administer the hub: make another admin first"), code="last_admin")


def _shut_out(tx: Tx, person_id: str) -> None:
    ways_in.end_sessions(tx, person_id)
    ways_in.forget_devices(tx, person_id)
    for kind in (TokenKind.RESET, TokenKind.SECOND_FACTOR):
        ways_in.drop_tokens(tx, kind=kind, person_id=person_id)
