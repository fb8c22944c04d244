"""API keys: made, listed, revoked."""

import difflib
from collections.abc import Callable
from datetime import datetime

import msgspec

from atalaia.access.audit import record
from atalaia.access.credentials import KEYS_TOPIC, adopt_key, make_key
from atalaia.access.model import ApiKey
from atalaia.access.queries import keys as queries
from atalaia.core.clock import Clock
from atalaia.core.errors import Conflict, InvalidField, NotFound
from atalaia.core.ids import new_id
from atalaia.core.permissions import SCOPE_PERMISSIONS, SIGNAL_SCOPE_PREFIX, Principal, is_scope
from atalaia.core.translations import N_
from atalaia.sdk.transaction import Tx
from atalaia.store.store import Store
from atalaia.web.cursors import decode_cursor, page_of

MAX_NAME = 100
SCOPES = (*SCOPE_PERMISSIONS, f"{SIGNAL_SCOPE_PREFIX}<name>")


class CreatedKey(msgspec.Struct, frozen=True, kw_only=True):
    """`value` is shown to whoever made the key, this once. `is_weak`: it was given by value and is short."""

    key: ApiKey
    value: str
    is_weak: bool

    def __repr__(self) -> str:
        return f"CreatedKey({self.key.prefix})"


def create_key(
    tx: Tx,
    actor: Principal,
    *,
    name: str,
    scopes: list[str],
    now: datetime,
    expires_at: datetime | None = None,
    value: str | None = None,
    address: str | None = None,
) -> CreatedKey:
    """Make a key, or take over one that is in use elsewhere (`value`).

    Raises:
        InvalidField: a name, scope, value or expiry that can't be.
        Conflict: this very value is a key already.
    """
    _check_key(name, scopes, expires_at=expires_at, now=now)
    new = make_key() if value is None else adopt_key(value)
    key = ApiKey(
        id=new_id(),
        name=name.strip(),
        prefix=new.prefix,
        scopes=tuple(sorted(set(scopes))),
        created_at=now,
        created_by=actor.name,
        expires_at=expires_at,
        revoked_at=None,
    )
    if not queries.add(tx, key, sha256=new.sha256):
        raise Conflict(N_("this value is an API key already"))
    after = {"name": key.name, "prefix": key.prefix, "scopes": key.scopes, "expires_at": key.expires_at}
    record(tx, actor, "key.created", f"key:{key.id}", after=after, address=address, now=now)
    return CreatedKey(key=key, value=new.value, is_weak=new.is_weak)


def revoke_key(tx: Tx, actor: Principal, key_id: str, *, now: datetime, address: str | None = None) -> ApiKey:
    """End a key: within a second no hub takes it any more. To revoke it again changes nothing.

    Raises:
        NotFound: no such key.
    """
    key = queries.find_by_id(tx, key_id)
    if key is None:
        raise NotFound(N_("there is no such API key"))
    if queries.revoke(tx, key_id, now=now):
        queries.next_revision(tx)
        tx.publish(KEYS_TOPIC, key_id)
        before = {"name": key.name, "prefix": key.prefix, "scopes": key.scopes}
        record(tx, actor, "key.revoked", f"key:{key_id}", before=before, address=address, now=now)
        key = msgspec.structs.replace(key, revoked_at=now)
    return key


def find_key(tx: Tx, reference: str) -> ApiKey:
    """By id, by name or by prefix, as people type it.

    Raises:
        NotFound: no such key.
        Conflict: several keys have that name.
    """
    key = queries.find_by_id(tx, reference)
    if key is not None:
        return key
    found = queries.find_by_name_or_prefix(tx, reference)
    if not found:
        raise NotFound(N_("there is no such API key"))
    if len(found) > 1:
        raise Conflict(N_("several API keys are called so: name one by its id"))
    return found[0]


def list_keys(tx: Tx, *, limit: int, after: str | None = None) -> list[ApiKey]:
    return queries.page(tx, limit=limit, after=after)


class KeyService:
    """`forget` empties this hub's memory of keys, without waiting for the news to come around."""

    def __init__(self, store: Store, *, clock: Clock, forget: Callable[[], None]) -> None:
        self._store = store
        self._clock = clock
        self._forget = forget

    def now(self) -> datetime:
        return self._clock.now()

    async def create(
        self,
        actor: Principal,
        *,
        name: str,
        scopes: list[str],
        expires_at: datetime | None = None,
        value: str | None = None,
        address: str | None = None,
    ) -> CreatedKey:
        now = self._clock.now()
        return await self._store.write(
            lambda tx: create_key(
                tx, actor, name=name, scopes=scopes, expires_at=expires_at, value=value, now=now, address=address
            )
        )

    async def revoke(self, actor: Principal, key_id: str, *, address: str | None = None) -> ApiKey:
        now = self._clock.now()
        key = await self._store.write(lambda tx: revoke_key(tx, actor, key_id, now=now, address=address))
        self._forget()
        return key

    async def page(self, *, cursor: str | None, limit: int) -> tuple[list[ApiKey], str | None]:
        key = decode_cursor(cursor, str)
        after = key[0] if key else None
        rows = await self._store.read(lambda tx: list_keys(tx, limit=limit + 1, after=after))
        return page_of(rows, limit, lambda row: (row.id,))

    async def find(self, key_id: str) -> ApiKey | None:
        return await self._store.read(lambda tx: queries.find_by_id(tx, key_id))


def _check_key(name: str, scopes: list[str], *, expires_at: datetime | None, now: datetime) -> None:
    if not name.strip() or len(name) > MAX_NAME or not name.isprintable():
        raise InvalidField("name", N_("a name has 1 to {maximum} characters"), maximum=MAX_NAME)
    if not scopes:
        raise InvalidField("scopes", N_("choose at least one scope"))
    for scope in scopes:
        if not is_scope(scope) or not scope.isprintable():
            near = difflib.get_close_matches(scope, SCOPES, n=1)
            hint = f"{near[0]}?" if near else ", ".join(SCOPES)
            raise InvalidField("scopes", N_("there is no scope {scope}"), hint=hint, scope=scope[:MAX_NAME])
    if expires_at is not None and expires_at.tzinfo is None:
        raise InvalidField("expires_at", N_("say the zone too, as in 2026-12-31T23:59:59Z"))
    if expires_at is not None and expires_at <= now:
        raise InvalidField("expires_at", N_("the expiry must lie in the future"))
