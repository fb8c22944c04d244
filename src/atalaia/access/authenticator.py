"""Who is behind a request: an API key in a header, or a session in a cookie.

Keys are remembered in memory, so that a hot route asks nobody. How a revoked one stops within a second on every hub:
1. What is remembered is good for one number of `key_revision`, and for 0.9 s after that number was last read.
2. A revocation, from whichever process, makes the number grow in its own transaction.
3. While keys are used the number is read each 0.4 s in the background; where nothing is asked, nothing is read.
4. In this process, and between hubs on PostgreSQL, the live topic `keys` makes it forget at once.
A key that is not remembered is looked for in the store: a new one works at once.
"""

import asyncio
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from atalaia.access import csrf
from atalaia.access.cookies import CookieNames, cookies_of
from atalaia.access.credentials import KEYS_TOPIC, digest
from atalaia.access.model import principal_of_key, principal_of_person
from atalaia.access.queries import keys as key_queries
from atalaia.access.queries import ways_in
from atalaia.access.session_lookup import SessionLookup
from atalaia.access.sessions import SessionLimits, is_over, is_seen_stale
from atalaia.core.clock import Clock
from atalaia.core.errors import AtalaiaError, Forbidden, Unauthenticated
from atalaia.core.permissions import Permission, Principal
from atalaia.core.translations import N_
from atalaia.store.store import Store

GOOD_FOR_S = 0.9
READ_AGAIN_AFTER_S = 0.4
_BEARER = b"bearer "
_KEY_HEADERS = frozenset(
    {b"authorization", b"x-api-key", b"x-admin-key", b"x-worker-key", b"x-monitor-key", b"x-cron-secret"}
)
_FORMER = float("-inf")

Headers = Iterable[tuple[bytes, bytes]]
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Known:
    principal: Principal
    expires_at: datetime | None


def presented_key(headers: Headers) -> bytes | None:
    """The API key that a request carries, if any; other kinds of Authorization are not ours."""
    for name, value in headers:
        if name in _KEY_HEADERS and value:
            if name != b"authorization":
                return value
            if value[:7].lower() == _BEARER:
                return value[7:].strip()
    return None


class Authenticator:
    def __init__(
        self, store: Store, *, clock: Clock, limits: Callable[[], SessionLimits], cookies: Callable[[], CookieNames]
    ) -> None:
        self._store = store
        self._clock = clock
        self._limits = limits
        self._cookies = cookies
        self._known: dict[bytes, _Known] = {}
        self._revision = 0
        self._read_at = _FORMER  # monotonic: when the revision was last read
        self._forgot_at = _FORMER
        self._reading: asyncio.Task[None] | None = None
        self._used: set[str] = set()
        self._sessions = SessionLookup(store)
        store.live.subscribe(self._on_live)

    # -- keys

    def key_principal(self, headers: Headers) -> Principal | None:
        """The holder of the key, from memory; None: `await find_key_principal(headers)` has to look.

        Raises:
            Unauthenticated: the request carries no key.
        """
        key = presented_key(headers)
        if key is None:
            raise _no_key()
        return self._remembered(hashlib.sha256(key).digest())

    async def find_key_principal(self, headers: Headers) -> Principal:
        """The holder of the key, from memory or from the store.

        Raises:
            Unauthenticated: no key, or one that is unknown, revoked or expired.
        """
        key = presented_key(headers)
        if key is None:
            raise _no_key()
        sha256 = hashlib.sha256(key).digest()
        return self._remembered(sha256) or await self._look_up(sha256)

    async def require_key(self, scope: Any, permission: Permission) -> Principal:
        """For hot routes: the key's holder, who has `permission`; costs a microsecond where the key is remembered.

        Raises:
            Unauthenticated, Forbidden.
        """
        headers = scope["headers"]
        principal = self.key_principal(headers) or await self.find_key_principal(headers)
        if permission not in principal.permissions:
            raise missing(permission)
        return principal

    def forget(self) -> None:
        """Ask the store again before the next key is taken."""
        self._forgot_at = self._clock.monotonic()

    async def keep_uses(self) -> None:
        """Write down which keys were used since the last time; a loop calls it."""
        used, self._used = self._used, set()
        if not used:
            return
        now = self._clock.now()
        try:
            await self._store.write(lambda tx: key_queries.keep_uses(tx, dict.fromkeys(used, now)))
        except AtalaiaError as error:  # nice to know, and no reason to fail: the next time has them too
            self._used |= used
            log.debug("key_uses_not_kept", code=error.code)

    def _remembered(self, sha256: bytes) -> Principal | None:
        age_s = self._clock.monotonic() - self._read_at
        if age_s > GOOD_FOR_S or self._read_at <= self._forgot_at:
            return None
        if age_s > READ_AGAIN_AFTER_S:
            self._read_again()
        known = self._known.get(sha256)
        if known is None or (known.expires_at is not None and self._clock.now() >= known.expires_at):
            return None
        self._used.add(known.principal.id)
        return known.principal

    async def _look_up(self, sha256: bytes) -> Principal:
        began = self._clock.monotonic()
        # The number first: a revocation between the two reads is then noticed at the next one.
        number, key = await self._store.read(
            lambda tx: (key_queries.revision(tx), key_queries.find_by_hash(tx, sha256))
        )
        self._take_revision(number, began)
        if key is None or not key.is_valid(self._clock.now()):
            raise Unauthenticated(
                N_("this API key is not valid"), hint=N_("It may have been revoked, or have expired.")
            )
        principal = principal_of_key(key)
        if number == self._revision:
            self._known[sha256] = _Known(principal, key.expires_at)
        self._used.add(principal.id)
        return principal

    def _read_again(self) -> None:
        if self._reading is None:
            self._reading = asyncio.get_running_loop().create_task(self._read_revision())

    async def _read_revision(self) -> None:
        began = self._clock.monotonic()
        try:
            number = await self._store.read(key_queries.revision)
        except AtalaiaError as error:  # what is remembered runs out by itself
            log.debug("key_revision_unread", code=error.code)
        else:
            self._take_revision(number, began)
        finally:
            self._reading = None

    def _take_revision(self, number: int, began: float) -> None:
        if number > self._revision:
            self._known, self._revision = {}, number
        if number == self._revision:
            self._read_at = max(self._read_at, began)

    def _on_live(self, topic: str, _id: str) -> None:
        if topic == KEYS_TOPIC:
            self.forget()

    # -- sessions

    async def identify(self, scope: Any) -> None:
        """Put `principal` (or None), `csrf_token`, and perhaps `refusal` (why a key was not taken) into the state."""
        state = scope["state"]
        state["principal"], state["csrf_token"] = None, ""
        if presented_key(scope["headers"]) is not None:
            try:
                state["principal"] = await self.find_key_principal(scope["headers"])
            except Unauthenticated as error:
                state["refusal"] = error
            return
        names, cookies = self._cookies(), cookies_of(scope)
        token = cookies.get(names.session)
        if token is not None:
            state["principal"] = await self._session_principal(token, address=state.get("client", "-"))
        proven = token if state["principal"] is not None else cookies.get(names.visit)
        if proven:
            state["csrf_cookie"] = proven
            state["csrf_token"] = csrf.make_proof(proven)

    async def _session_principal(self, token: str, *, address: str) -> Principal | None:
        sha256 = digest(token)
        found = await self._sessions.find(sha256)
        now = self._clock.now()
        if found is None:
            return None
        session, person = found
        if not person.may_sign_in:
            return None
        if is_over(session.created_at, session.seen_at, now=now, limits=self._limits()):
            return None
        if is_seen_stale(session.seen_at, now=now):
            await self._touch(session.id, address=address, now=now)
        return principal_of_person(person, session_id=session.id)

    async def _touch(self, session_id: str, *, address: str, now: datetime) -> None:
        try:
            await self._store.write(lambda tx: ways_in.touch_session(tx, session_id, address=address, now=now))
        except AtalaiaError as error:  # a full disk must not keep people from reading
            log.debug("session_not_touched", code=error.code)


def missing(permission: Permission) -> Forbidden:
    return Forbidden(N_("this needs the permission {permission}"), permission=permission.value)


def _no_key() -> Unauthenticated:
    return Unauthenticated(
        N_("this needs an API key"), hint=N_("Send it as Authorization: Bearer <key> or as X-API-Key: <key>.")
    )
