"""One-time links: the first start of a hub, and choosing a password."""

from collections.abc import Callable
from datetime import datetime, timedelta

from atalaia.access.attempts import Counter
from atalaia.access.audit import record
from atalaia.access.credentials import digest, make_token
from atalaia.access.events import PasswordLinkAsked
from atalaia.access.model import TOKEN_TTL_S, Person, TokenKind, principal_of_person
from atalaia.access.passwords import PasswordHasher, check_rules
from atalaia.access.queries import people as people_queries
from atalaia.access.queries import ways_in
from atalaia.access.service.entering import Entered, Visitor, enter
from atalaia.access.service.people import create_person, get_person, new_password_link, normal_email
from atalaia.access.service.sign_in import count_try, subject
from atalaia.core.clock import Clock
from atalaia.core.errors import Gone, TooManyRequests
from atalaia.core.permissions import SYSTEM, Role
from atalaia.core.redaction import Secret
from atalaia.core.translations import N_
from atalaia.sdk.transaction import Tx
from atalaia.store.store import Store

FIRST_START = "/first-start"


def open_first_start(tx: Tx, *, now: datetime) -> str | None:
    """The path, with its token, by which the first admin is made; None where there is one.

    Hubs that start side by side each get a token; the first admin ends them all.
    """
    if people_queries.has_admin(tx):
        return None
    token, sha256 = make_token()
    expires_at = now + timedelta(seconds=TOKEN_TTL_S[TokenKind.FIRST_START])
    ways_in.add_token(tx, sha256, kind=TokenKind.FIRST_START, person_id=None, expires_at=expires_at)
    return f"{FIRST_START}?token={token}"


class LinkService:
    def __init__(self, store: Store, *, hasher: PasswordHasher, clock: Clock, public_url: Callable[[], str]) -> None:
        self._store = store
        self._hasher = hasher
        self._clock = clock
        self._public_url = public_url

    async def check_first_start(self, token: str) -> None:
        """Raises Gone: used, too old, or made up."""
        await self._store.read(lambda tx: _first_start_token(tx, digest(token), now=self._clock.now()))

    async def make_first_admin(self, token: str, *, email: str, name: str, password: str, visitor: Visitor) -> Entered:
        """Raises Gone, InvalidField."""
        await self.check_first_start(token)
        email = normal_email(email)
        check_rules(password, email=email)
        password_hash = await self._hasher.hash_in_thread(password)
        now, sha256 = self._clock.now(), digest(token)

        def unit(tx: Tx) -> Entered:
            _first_start_token(tx, sha256, now=now)
            ways_in.drop_tokens(tx, kind=TokenKind.FIRST_START)
            person = create_person(
                tx,
                SYSTEM,
                email=email,
                name=name,
                role=Role.ADMIN,
                password_hash=password_hash,
                now=now,
                address=visitor.address,
            )
            return enter(tx, person, visitor=visitor, now=now)

        return await self._store.write(unit)

    async def holder(self, token: str) -> Person:
        """Whose password a link is to choose.

        Raises:
            Gone: used, too old, or made up.
        """
        now = self._clock.now()
        return await self._store.read(lambda tx: _holder(tx, digest(token), now=now))

    async def choose_password(self, token: str, password: str, *, visitor: Visitor) -> Entered | None:
        """Set the password and end all sessions; None where the person has to sign in with a code now.

        Raises:
            Gone, InvalidField.
        """
        person = await self.holder(token)
        check_rules(password, email=person.email)
        password_hash = await self._hasher.hash_in_thread(password)
        now, sha256 = self._clock.now(), digest(token)
        return await self._store.write(
            lambda tx: _choose(tx, sha256, password_hash=password_hash, visitor=visitor, now=now)
        )

    async def ask_link(self, email: str, *, visitor: Visitor) -> None:
        """Tell whoever can send e-mail to send a link; says nothing about whether there is such a person.

        Raises:
            TooManyRequests, InvalidField.
        """
        email = normal_email(email)
        now, public_url = self._clock.now(), self._public_url()
        await self._store.write(lambda tx: _ask(tx, email, visitor=visitor, public_url=public_url, now=now))


def _first_start_token(tx: Tx, sha256: bytes, *, now: datetime) -> None:
    if ways_in.find_token(tx, sha256, kind=TokenKind.FIRST_START, now=now) is None or people_queries.has_admin(tx):
        raise Gone(
            N_("this first-start address was used, or is too old"),
            hint=N_("Start the hub anew: while it has no admin it prints another one."),
        )


def _holder(tx: Tx, sha256: bytes, *, now: datetime) -> Person:
    token = ways_in.find_token(tx, sha256, kind=TokenKind.RESET, now=now)
    person = people_queries.find_by_id(tx, token.person_id) if token else None
    if person is None or not person.may_sign_in:
        raise Gone(N_("this link was used, or is too old"), hint=N_("Ask an admin for another one."))
    return person


def _choose(tx: Tx, sha256: bytes, *, password_hash: str, visitor: Visitor, now: datetime) -> Entered | None:
    person = _holder(tx, sha256, now=now)
    ways_in.drop_tokens(tx, kind=TokenKind.RESET, person_id=person.id)
    people_queries.change(tx, person.id, {"password_hash": password_hash})
    ways_in.end_sessions(tx, person.id)
    ways_in.drop_tokens(tx, kind=TokenKind.SECOND_FACTOR, person_id=person.id)
    ways_in.clear_tally(tx, *subject(Counter.ACCOUNT, person.email))
    principal = principal_of_person(person)
    record(tx, principal, "person.password_chosen", f"person:{person.id}", address=visitor.address, now=now)
    return None if person.has_totp else enter(tx, get_person(tx, person.id), visitor=visitor, now=now)


def _ask(tx: Tx, email: str, *, visitor: Visitor, public_url: str, now: datetime) -> None:
    count_try(tx, (subject(Counter.RESET, visitor.bucket),), now=now)
    try:
        count_try(tx, (subject(Counter.RESET, "account", email),), now=now)
    except TooManyRequests:  # a full mailbox helps nobody, and the asker must not learn that there is one
        return
    person = people_queries.find_by_email(tx, email)
    if person is None or not person.may_sign_in:
        return
    link = new_password_link(tx, person.id, now=now)
    tx.emit(
        PasswordLinkAsked(
            person_id=person.id,
            email=person.email,
            name=person.name,
            locale=person.locale,
            link=Secret(public_url.rstrip("/") + link.path),
            expires_at=link.expires_at,
        )
    )
    record(tx, SYSTEM, "person.password_link_asked", f"person:{person.id}", address=visitor.address, now=now)
