"""Signing in: password, code, session; and the links that lead to a first or new password.

A try is counted as a failure before the password is looked at, in a transaction of its own, and taken back when it turns
out well: tries at the same moment can't slip past the count. An address that nobody has costs as many reads, writes and
hashes as one that somebody has.
"""

import hashlib
from datetime import datetime

import msgspec
import structlog

from atalaia.access.attempts import Counter, wait_s, with_failure
from atalaia.access.audit import record
from atalaia.access.credentials import digest
from atalaia.access.model import Person, Secrets, TokenKind, principal_of_person
from atalaia.access.passwords import PasswordHasher
from atalaia.access.queries import people as people_queries
from atalaia.access.queries import ways_in
from atalaia.access.queries.ways_in import Subject
from atalaia.access.service.entering import Entered, NeedsCode, Visitor, enter, new_factor_token
from atalaia.access.service.people import normal_email
from atalaia.access.service.second_factor import proves_second_factor
from atalaia.core.clock import Clock
from atalaia.core.errors import InvalidField, TooManyRequests, Unauthenticated
from atalaia.core.permissions import SYSTEM
from atalaia.core.translations import N_
from atalaia.sdk.transaction import Tx
from atalaia.store.encryption import Sealer
from atalaia.store.store import Store

log = structlog.get_logger()


class _Try(msgspec.Struct, frozen=True, kw_only=True):
    email: str
    person: Person | None
    password_hash: str | None
    subjects: tuple[Subject, ...]
    is_known_device: bool


class SignInService:
    def __init__(self, store: Store, *, hasher: PasswordHasher, sealer: Sealer, clock: Clock) -> None:
        self._store = store
        self._hasher = hasher
        self._sealer = sealer
        self._clock = clock

    async def sign_in(self, email: str, password: str, *, visitor: Visitor) -> Entered | NeedsCode:
        """First step.

        Raises:
            Unauthenticated: unknown address, wrong password, or somebody who may not come in; all the same words.
            TooManyRequests: too many tries; says when the next one is allowed.
        """
        began = await self._store.write(lambda tx: _begin(tx, email, visitor=visitor, now=self._clock.now()))
        is_right = await self._hasher.verify_in_thread(began.password_hash, password)
        if not is_right or began.person is None:
            await self._store.write(lambda tx: _note_failure(tx, began, visitor=visitor, now=self._clock.now()))
            log.warning("sign_in_failed", client=visitor.address)
            raise Unauthenticated(N_("this e-mail address and password don't belong together"), code="wrong_password")
        person_id = began.person.id
        if began.password_hash and self._hasher.is_outdated(began.password_hash):
            await self._make_hash_anew(person_id, password)
        return await self._store.write(
            lambda tx: _pass_first_step(tx, began, person_id, visitor=visitor, now=self._clock.now())
        )

    async def give_code(self, factor_token: str, code: str, *, visitor: Visitor) -> Entered:
        """Second step: a code of the application, or a recovery code.

        Raises:
            Unauthenticated: wrong code, or (code `sign_in_again`) the first step was too long ago.
            TooManyRequests: too many tries.
        """
        now = self._clock.now()
        entered = await self._store.write(
            lambda tx: _take_code(tx, digest(factor_token), code, sealer=self._sealer, visitor=visitor, now=now)
        )
        if entered is None:
            log.warning("sign_in_code_failed", client=visitor.address)
            raise Unauthenticated(N_("this code is not right, or was used before"), code="wrong_code")
        return entered

    async def sign_out(self, session_id: str, *, person_id: str) -> None:
        await self._store.write(lambda tx: ways_in.end_session(tx, session_id, person_id=person_id))

    async def _make_hash_anew(self, person_id: str, password: str) -> None:
        password_hash = await self._hasher.hash_in_thread(password)
        await self._store.write(lambda tx: people_queries.change(tx, person_id, {"password_hash": password_hash}))


def count_try(tx: Tx, subjects: tuple[Subject, ...], *, now: datetime) -> None:
    """Count a try against each of `subjects`.

    Raises:
        TooManyRequests: one of them has to wait; nothing was counted.
    """
    tallies = ways_in.lock_tallies(tx, subjects, now=now)
    longest = max(wait_s(counter, tally, now=now) for (counter, _), tally in tallies.items())
    if longest > 0:
        raise TooManyRequests(N_("too many tries; wait a moment and try again"), retry_after_s=longest)
    counted = {subject: with_failure(subject[0], tally, now=now) for subject, tally in tallies.items()}
    ways_in.keep_tallies(tx, counted)


def subject(counter: Counter, *parts: str) -> Subject:
    """Hashed, so that what strangers type is not kept."""
    return counter, hashlib.sha256("\0".join(parts).encode()).hexdigest()[:40]


def _begin(tx: Tx, email: str, *, visitor: Visitor, now: datetime) -> _Try:
    try:
        email = normal_email(email)
    except InvalidField:
        email = ""
    person = people_queries.find_by_email(tx, email)
    secrets: Secrets | None = people_queries.secrets_of(tx, person.id if person else "")
    known = _is_known_device(tx, person, visitor)
    if known:
        subjects: tuple[Subject, ...] = (subject(Counter.PAIR, "device", visitor.device_token or "", email),)
    else:
        subjects = (
            subject(Counter.ADDRESS, visitor.bucket),
            subject(Counter.PAIR, "address", visitor.bucket, email),
            subject(Counter.ACCOUNT, email),
        )
    count_try(tx, subjects, now=now)
    is_welcome = person is not None and person.may_sign_in
    return _Try(
        email=email,
        person=person,
        password_hash=secrets.password_hash if secrets and is_welcome else None,
        subjects=subjects,
        is_known_device=known,
    )


def _is_known_device(tx: Tx, person: Person | None, visitor: Visitor) -> bool:
    sha256 = digest(visitor.device_token or "")
    return ways_in.is_known_device(tx, sha256, person_id=person.id if person else "")


def _note_failure(tx: Tx, tried: _Try, *, visitor: Visitor, now: datetime) -> None:
    who = f"person:{tried.person.id}" if tried.person else "person:unknown"
    after = {"email": tried.email}
    record(tx, SYSTEM, "sign_in.failed", who, after=after, address=visitor.address, now=now)


def _pass_first_step(tx: Tx, tried: _Try, person_id: str, *, visitor: Visitor, now: datetime) -> Entered | NeedsCode:
    for counter, name in tried.subjects:
        if counter is Counter.PAIR:
            ways_in.clear_tally(tx, counter, name)
        else:  # what others did from this address, or to this account, stays counted
            ways_in.take_back_failure(tx, counter, name)
    person = people_queries.find_by_id(tx, person_id)
    if person is None or not person.may_sign_in:
        raise Unauthenticated(N_("this e-mail address and password don't belong together"), code="wrong_password")
    if person.has_totp:
        return NeedsCode(factor_token=new_factor_token(tx, person_id, now=now))
    return enter(tx, person, visitor=visitor, now=now)


def _take_code(
    tx: Tx, factor_sha256: bytes, code: str, *, sealer: Sealer, visitor: Visitor, now: datetime
) -> Entered | None:
    """None for a wrong code: the transaction is kept all the same, since the try is counted in it."""
    token = ways_in.find_token(tx, factor_sha256, kind=TokenKind.SECOND_FACTOR, now=now)
    found = people_queries.lock_by_id(tx, token.person_id) if token else None
    if token is None or found is None or not found[0].may_sign_in:
        raise Unauthenticated(N_("that took too long: sign in again"), code="sign_in_again")
    person, secrets = found
    counted = subject(Counter.CODE, person.id)
    count_try(tx, (counted,), now=now)
    how = proves_second_factor(tx, person.id, secrets, code, sealer=sealer, now=now)
    if how is None:
        principal = principal_of_person(person)
        record(tx, principal, "sign_in.code_failed", f"person:{person.id}", address=visitor.address, now=now)
        return None
    ways_in.clear_tally(tx, *counted)
    ways_in.use_token(tx, factor_sha256)
    return enter(tx, person, visitor=visitor, now=now, factor=how)
