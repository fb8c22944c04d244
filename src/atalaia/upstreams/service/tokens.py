"""Session tokens: kept sealed, renewed ahead, and one login at a time over all hubs on one database.

Who needs a newer token: 1. looks at the row, 2. takes the login's lease in it (one transaction, the row held), 3. logs in
without any transaction, 4. writes what came of it, if the lease is still its own. A hub that dies between 2 and 4 leaves a
lease that lapses; a token given by hand meanwhile takes the lease away, and the late result is dropped.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Protocol

import structlog

from atalaia.core.clock import Clock
from atalaia.core.errors import AtalaiaError
from atalaia.core.ids import new_id
from atalaia.core.redaction import KNOWN, Secret
from atalaia.sdk.failures import BadPayload, PermanentFailure, TemporaryFailure
from atalaia.sdk.transaction import Tx
from atalaia.sdk.upstreams import Login, Token, Upstream
from atalaia.store.encryption import Sealer
from atalaia.store.store import Store
from atalaia.upstreams.model.logins import LEASE_S, LOGIN_S, Next, Step, TokenRow, is_good, next_step, quick_after
from atalaia.upstreams.model.registered import Key, Registry
from atalaia.upstreams.queries import tokens as queries
from atalaia.upstreams.service import token_rows

# While another hub logs in: how often to look whether it is done.
LOOK_AGAIN_S = 0.2

log = structlog.get_logger()


class ClientOf(Protocol):
    def __call__(self, name: str, account: str) -> Upstream: ...


class TokenKeeper:
    def __init__(self, store: Store, *, clock: Clock, sealer: Sealer, registry: Registry, client_of: ClientOf) -> None:
        self._store = store
        self._clock = clock
        self._sealer = sealer
        self._registry = registry
        self._client_of = client_of
        self._tokens: dict[Key, Token] = {}
        self._flights: dict[Key, asyncio.Task[Token]] = {}
        self._learnt: dict[Key, int] = {}

    async def token(self, key: Key, *, rejected: int | None = None) -> Token:
        """One that is in force and newer than generation `rejected`. Raises: TemporaryFailure, PermanentFailure."""
        while True:
            token = self._tokens.get(key)
            if token is not None and self._fits(token, rejected):
                return token
            token = await asyncio.shield(self._flight(key, rejected))
            if self._fits(token, rejected):
                return token

    def forget(self, upstream: str = "") -> None:
        """Another hub has changed something: ask the store anew."""
        for key in list(self._tokens):
            if upstream in {"", key[0]}:
                self._tokens.pop(key, None)

    async def stop(self) -> None:
        """Logins that are under way give their leases back."""
        flights = list(self._flights.values())
        for flight in flights:
            flight.cancel()
        await asyncio.gather(*flights, return_exceptions=True)

    # -- one login for all of this process

    def _fits(self, token: Token, rejected: int | None) -> bool:
        if rejected is not None and token.generation <= rejected:
            return False
        return token.expires_at is None or token.expires_at > self._clock.now()

    def _flight(self, key: Key, rejected: int | None) -> "asyncio.Task[Token]":
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = asyncio.create_task(self._obtain(key, rejected))
            flight.add_done_callback(lambda done: self._landed(key, done))
        return flight

    def _landed(self, key: Key, done: "asyncio.Task[Token]") -> None:
        self._flights.pop(key, None)
        if not done.cancelled():
            done.exception()  # seen: whoever began it may be gone

    # -- and one for all hubs

    async def _obtain(self, key: Key, rejected: int | None) -> Token:
        holder = new_id()
        while True:
            row, step = await self._look(key, rejected)
            if step.kind is Next.LOG_IN:
                row, step = await self._store.write(lambda tx: self._claim(tx, key, rejected, holder))
            match step.kind:
                case Next.USE:
                    return self._open(key, row)
                case Next.PAUSE:
                    raise _paused(row, step.wait_s)
                case Next.WAIT:
                    await asyncio.sleep(min(LOOK_AGAIN_S, step.wait_s))
                case Next.LOG_IN:
                    await self._log_in(key, holder)

    async def _look(self, key: Key, rejected: int | None) -> tuple[TokenRow, Step]:
        row = await self._store.read(lambda tx: queries.find(tx, key))
        return row, self._judged(key, row, rejected)

    def _judged(self, key: Key, row: TokenRow, rejected: int | None) -> Step:
        """Raises: PermanentFailure: nobody can log in here."""
        now = self._clock.now()
        registered = self._registry.find(key[0])
        if not is_good(row, rejected=rejected, now=now):
            if registered.declaration.login is None:
                raise PermanentFailure("There is no way to log in: give a token by hand.")
            if not registered.is_configured():
                raise PermanentFailure("{title} is not configured.", title=registered.declaration.title)
        return next_step(row, rejected=rejected, now=now)

    def _claim(self, tx: Tx, key: Key, rejected: int | None, holder: str) -> tuple[TokenRow, Step]:
        row = queries.lock(tx, key)
        now = self._clock.now()
        step = next_step(row, rejected=rejected, now=now)
        if step.kind is Next.LOG_IN:
            quick = quick_after(row, rejected=rejected, now=now)
            until = now + timedelta(seconds=LEASE_S)
            queries.change(tx, key, login_holder=holder, login_until_at=until, quick=quick)
        return row, step

    async def _log_in(self, key: Key, holder: str) -> None:
        """Raises: TemporaryFailure, PermanentFailure: it failed, and that is kept."""
        registered = self._registry.find(key[0])
        title = registered.declaration.title
        now = self._clock.now
        try:
            login = await self._call(key)
        except asyncio.CancelledError:
            with suppress(AtalaiaError):
                await self._store.write(lambda tx: token_rows.release(tx, key, holder))
            raise
        except Exception as error:
            failure = _failure_of(error)
            if failure is not error:
                log.exception("upstream_login_broken", upstream=key[0], account=key[1])
            pause_s = await self._store.write(
                lambda tx: token_rows.failed(tx, key, holder, failure, registered=registered, now=now())
            )
            if isinstance(failure, TemporaryFailure):
                failure.retry_after_s = pause_s
            raise failure from error
        sealed = self._seal(key, login.value.reveal())
        life_s = registered.declaration.token_life_s
        kept = await self._store.write(
            lambda tx: token_rows.logged_in(
                tx, key, holder, login, sealed=sealed, life_s=life_s, title=title, now=now()
            )
        )
        log.info("upstream_logged_in" if kept else "upstream_login_superseded", upstream=key[0], account=key[1])

    async def _call(self, key: Key) -> Login:
        registered = self._registry.find(key[0])
        assert registered.declaration.login is not None  # noqa: S101 - judged before
        try:
            async with asyncio.timeout(LOGIN_S):
                login = await registered.declaration.login(self._client_of(*key), registered.setting)
        except TimeoutError as error:
            raise TemporaryFailure("The login took longer than {seconds} s.", seconds=LOGIN_S) from error
        if len(login.value.reveal()) < registered.declaration.min_token_length:
            raise BadPayload("The login answered with a token that is too short.")
        return login

    # -- sealed

    def _seal(self, key: Key, value: str) -> bytes:
        return self._sealer.seal(value, purpose=_purpose(key))

    def _open(self, key: Key, row: TokenRow) -> Token:
        assert row.sealed is not None  # noqa: S101 - judged before
        value = self._sealer.open(row.sealed, purpose=_purpose(key))
        token = self._tokens[key] = Token(Secret(value), row.generation, row.expires_at)
        return token

    def learn(self, rows: Mapping[Key, TokenRow]) -> None:
        """Know all tokens by value, also those that others hold, so that texts of workers are scrubbed of them."""
        for key, row in rows.items():
            if row.sealed is not None and self._learnt.get(key) != row.generation:
                self._learnt[key] = row.generation
                with suppress(AtalaiaError):  # sealed with a key that is gone: told when it is used
                    KNOWN.add(self._sealer.open(row.sealed, purpose=_purpose(key)))

    def keep_by_hand(self, tx: Tx, key: Key, value: str) -> None:
        KNOWN.add(value)
        declared = self._registry.declared(key[0])
        token_rows.given(
            tx,
            key,
            sealed=self._seal(key, value),
            length=len(value),
            life_s=declared.token_life_s,
            title=declared.title,
            now=self._clock.now(),
        )


class KeptTokens:
    """The port that a client of this hub is given: see sdk.upstreams.TokenSource."""

    def __init__(self, keeper: Callable[[], TokenKeeper], key: Key) -> None:
        self._keeper = keeper
        self._key = key

    async def token(self, *, rejected_generation: int | None = None) -> Token:
        return await self._keeper().token(self._key, rejected=rejected_generation)


def _purpose(key: Key) -> str:
    return f"upstream-token:{key[0]}:{key[1]}"


def _paused(row: TokenRow, wait_s: float) -> TemporaryFailure:
    seconds = max(1, round(wait_s))
    if row.error is None:  # the logins went well, and their tokens were refused at once
        return TemporaryFailure(
            "The last token was refused as soon as it was used; the next login is in {seconds} s.",
            retry_after_s=wait_s,
            may_have_arrived=False,
            seconds=seconds,
        )
    return TemporaryFailure(
        "The login failed, and is tried again in {seconds} s: {why}",
        retry_after_s=wait_s,
        may_have_arrived=False,
        seconds=seconds,
        why=row.error,
    )


def _failure_of(error: Exception) -> AtalaiaError:
    if isinstance(error, AtalaiaError):
        return error
    return TemporaryFailure("The login broke: {kind}", kind=type(error).__name__)
