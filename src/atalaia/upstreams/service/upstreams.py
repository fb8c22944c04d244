"""Third parties as users see them, and what people and workers may do with them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from atalaia.access.audit import record
from atalaia.core.clock import Clock
from atalaia.core.errors import Conflict, InvalidField
from atalaia.core.permissions import Permission, Principal
from atalaia.core.translations import N_, Translator
from atalaia.outbound.breaker import Phase
from atalaia.sdk.contribution import Found
from atalaia.sdk.failures import TemporaryFailure
from atalaia.sdk.integration import TokenStatus
from atalaia.sdk.transaction import Tx
from atalaia.sdk.upstreams import CallRecord, Token
from atalaia.store.store import Store
from atalaia.upstreams.model.logins import TokenRow
from atalaia.upstreams.model.records import Failure, Minute, OperationSummary, by_operation
from atalaia.upstreams.model.registered import Key, Registry
from atalaia.upstreams.model.views import (
    WORST_FIRST,
    Notes,
    UpstreamView,
)
from atalaia.upstreams.queries import notes as note_queries
from atalaia.upstreams.queries import records as record_queries
from atalaia.upstreams.queries import tokens as token_queries
from atalaia.upstreams.queries.breakers import Kept
from atalaia.upstreams.service import token_rows
from atalaia.upstreams.service.breakers import PAGE_TOPIC, BreakerBook
from atalaia.upstreams.service.recording import Recorder
from atalaia.upstreams.service.seeing import DAY, read_views, shown_state
from atalaia.upstreams.service.tokens import TokenKeeper
from atalaia.web.cursors import decode_cursor, page_of
from atalaia.web.pages import Banner

CLOCK_OFF = timedelta(seconds=30)
MAX_TOKEN = 8192
MAX_NOTES = 20_000
_DEFAULT = "default"


class Actor(NamedTuple):
    """Who asks, and from where."""

    principal: Principal
    address: str | None


class Verdict(NamedTuple):
    """A breaker as a worker is told of it."""

    state: Phase
    retry_after_s: float
    is_granted: bool = False


class UpstreamsService:
    def __init__(
        self,
        store: Store,
        *,
        clock: Clock,
        registry: Registry,
        book: BreakerBook,
        tokens: TokenKeeper,
        recorder: Recorder,
    ) -> None:
        self._store = store
        self._clock = clock
        self._registry = registry
        self._book = book
        self._tokens = tokens
        self._recorder = recorder

    # -- seen

    async def overview(self) -> list[UpstreamView]:
        """All of them, the worst first."""
        return sorted(await self._views(None), key=lambda view: (WORST_FIRST.index(view.state), view.title.lower()))

    async def upstream(self, name: str) -> UpstreamView:
        """Raises: NotFound."""
        self._registry.find(name)
        return (await self._views(name))[0]

    async def operations(self, name: str) -> list[OperationSummary]:
        """Of the last day."""
        start = self._clock.now() - DAY
        return by_operation(await self._store.read(lambda tx: record_queries.sums_since(tx, start, upstream=name)))

    async def steps(self, name: str, *, start: datetime, end: datetime, step_s: float) -> list[Minute]:
        """For charts: what was called in each step, by outcome. Raises: NotFound."""
        self._registry.find(name)
        return await self._store.read(
            lambda tx: record_queries.steps_between(tx, name, start=start, end=end, step_s=step_s)
        )

    async def failures(self, name: str, *, cursor: str | None = None, limit: int) -> tuple[list[Failure], str | None]:
        """Newest first. Raises: NotFound, InvalidField (cursor)."""
        self._registry.find(name)
        after = decode_cursor(cursor, str)
        rows = await self._store.read(
            lambda tx: record_queries.page_failures(tx, name, limit=limit + 1, before=after[0] if after else None)
        )
        return page_of(rows, limit, lambda failure: (failure.id,))

    async def notes(self, name: str) -> Notes:
        self._registry.find(name)
        return await self._store.read(lambda tx: note_queries.find(tx, name))

    async def token_status(self, name: str, account: str = _DEFAULT) -> TokenStatus:
        row = await self._store.read(lambda tx: token_queries.find(tx, (name, account)))
        return TokenStatus(row.sealed is not None, row.length, row.expires_at, row.renewed_at, row.source)

    async def search(self, text: str, limit: int) -> Sequence[Found]:
        wanted = text.lower()
        return [
            Found(N_("Upstream"), view.title, f"/upstreams/{view.name}", state=shown_state(view))
            for view in await self.overview()
            if wanted in view.title.lower() or wanted in view.name
        ][:limit]

    def banners(self, viewer: Principal, translator: Translator) -> list[Banner]:
        if not viewer.may(Permission.UPSTREAMS_READ):
            return []
        return [
            Banner(
                "warning",
                translator.translate(
                    N_("{title} does not answer. Pages show the last that is known."),
                    title=self._registry.declared(name).title,
                ),
                href=f"/upstreams/{name}",
                action=translator.translate(N_("Open upstream")),
            )
            for name in dict.fromkeys(key[0] for key in self.failing())
        ]

    def failing(self) -> list[Key]:
        """Those that are left alone now, by this hub's copy."""
        known = {each.declaration.name for each in self._registry.all()}
        return [key for key, kept in self._book.all().items() if kept.failing_since is not None and key[0] in known]

    # -- by people

    async def keep_token(self, name: str, token: str, actor: Actor, *, account: str = _DEFAULT) -> None:
        """Raises: NotFound, InvalidField (token)."""
        declared = self._registry.declared(name)
        value = token.strip()
        if not declared.min_token_length <= len(value) <= MAX_TOKEN or not value.isprintable() or " " in value:
            raise InvalidField(
                "token", N_("a token has at least {least} characters and no space"), least=declared.min_token_length
            )
        key = (name, self._account(name, account))

        def unit(tx: Tx) -> None:
            self._tokens.keep_by_hand(tx, key, value)
            self._record(tx, actor, "upstream.token_given", name, after={"account": account, "length": len(value)})

        await self._store.write(unit)

    async def renew_token(self, name: str, actor: Actor, *, account: str = _DEFAULT) -> Token:
        """Log in now, whatever pause there is. Raises: NotFound, Conflict, TemporaryFailure, PermanentFailure."""
        key = (name, self._account(name, account))
        self._check_login(name)

        def unit(tx: Tx) -> TokenRow:
            self._record(tx, actor, "upstream.token_renewed", name, after={"account": account})
            return token_rows.forget_pauses(tx, key)

        row = await self._store.write(unit)
        return await self._tokens.token(key, rejected=row.generation)

    async def reset_breaker(self, name: str, actor: Actor, *, account: str = _DEFAULT) -> None:
        """Let calls through again. Raises: NotFound."""
        key = (name, self._account(name, account))

        def unit(tx: Tx) -> Kept:
            self._record(tx, actor, "upstream.breaker_reset", name, after={"account": account})
            return self._book.reset(tx, key)

        self._book.adopt({key: await self._store.write(unit)})

    async def write_notes(self, name: str, notes: Notes, actor: Actor) -> None:
        """Raises: NotFound, InvalidField."""
        self._registry.find(name)
        for field, text in (("runbook", notes.runbook), ("contacts", notes.contacts)):
            if len(text) > MAX_NOTES or "\0" in text:
                raise InvalidField(field, N_("at most {limit} characters"), limit=MAX_NOTES)

        def unit(tx: Tx) -> None:
            before = note_queries.find(tx, name)
            note_queries.put(tx, name, notes, now=self._clock.now())
            tx.publish(PAGE_TOPIC, name)
            self._record(
                tx,
                actor,
                "upstream.notes_changed",
                name,
                before={"runbook": before.runbook, "contacts": before.contacts},
                after={"runbook": notes.runbook, "contacts": notes.contacts},
            )

        await self._store.write(unit)

    # -- by workers

    async def token(self, name: str, *, account: str = _DEFAULT, rejected: int | None = None) -> Token:
        """Raises: NotFound, Conflict: there is none, and no login for one; TemporaryFailure, PermanentFailure."""
        key = (name, self._account(name, account))
        if not (await self.token_status(name, account)).has_token:
            self._check_login(name)
        return await self._tokens.token(key, rejected=rejected)

    def _check_login(self, name: str) -> None:
        """Raises: NotFound, Conflict."""
        registered = self._registry.find(name)
        if registered.declaration.login is None:
            raise Conflict(N_("this upstream knows no login"), hint=N_("Give it a token by hand, where it takes one."))
        if not registered.is_configured():
            raise Conflict(N_("this upstream is not configured"), hint=N_("Its settings say what is missing."))

    def on_time(self, call: CallRecord) -> CallRecord:
        """A worker's clock may be wrong, and the breaker goes by the hub's: what is far off happened now."""
        now = self._clock.now()
        return call if abs(now - call.at) < CLOCK_OFF else replace(call, at=now)

    async def take_calls(self, name: str, calls: Sequence[CallRecord]) -> Mapping[str, Verdict]:
        """By account, as it is once they are kept. Raises: NotFound, InvalidField (account)."""
        self._registry.find(name)
        accounts = {self._account(name, call.account) for call in calls}
        if calls:
            await self._recorder.take(calls)
        return {account: self.breaker(name, account=account) for account in sorted(accounts)}

    def breaker(self, name: str, *, account: str = _DEFAULT) -> Verdict:
        """Raises: NotFound."""
        kept = self._book.kept((name, self._account(name, account)))
        return Verdict(kept.state.phase, self._book.blocked_s((name, account)))

    async def try_it(self, name: str, *, account: str = _DEFAULT) -> Verdict:
        """Ask to make the one trial; granted also where there is nothing to wait for."""
        key = (name, self._account(name, account))
        try:
            kept = await self._store.write(lambda tx: self._book.claim(tx, key))
        except TemporaryFailure as refusal:
            return Verdict("open", refusal.retry_after_s or 0.0)
        self._book.adopt({key: kept})
        return Verdict(kept.state.phase, 0.0, is_granted=True)

    # -- inside

    def _account(self, name: str, account: str) -> str:
        """Raises: NotFound, InvalidField: one that the upstream doesn't have."""
        if account not in self._registry.declared(name).accounts():
            raise InvalidField("account", N_("there is no such account"))
        return account

    def _record(self, tx: Tx, actor: Actor, action: str, name: str, **values: Any) -> None:
        now = self._clock.now()
        record(tx, actor.principal, action, f"upstream:{name}", address=actor.address, now=now, **values)

    async def _views(self, name: str | None) -> list[UpstreamView]:
        now, registered = self._clock.now(), self._registry.all()
        return await self._store.read(lambda tx: read_views(tx, registered, now=now, name=name))
