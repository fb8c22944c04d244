"""What the leader does on the side: tokens renewed ahead, old records away."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from atalaia.core.clock import Clock
from atalaia.core.errors import AtalaiaError
from atalaia.core.settings import Settings
from atalaia.store.store import Store
from atalaia.upstreams.model.logins import TokenRow, renew_at
from atalaia.upstreams.model.registered import Key, Registry
from atalaia.upstreams.queries import records as record_queries
from atalaia.upstreams.queries import tokens as token_queries
from atalaia.upstreams.service.tokens import TokenKeeper
from atalaia.upstreams.settings import KEEP_DAYS

BATCH_ROWS = 500
MAX_BATCHES = 20
NEWEST_FAILURES = 1000


class Upkeep:
    def __init__(
        self, store: Store, *, clock: Clock, settings: Settings, registry: Registry, tokens: TokenKeeper
    ) -> None:
        self._store = store
        self._clock = clock
        self._settings = settings
        self._registry = registry
        self._tokens = tokens
        self._expiries: Mapping[Key, datetime] = {}

    def expiries(self) -> Mapping[Key, datetime]:
        """When tokens are over, as last seen; for /metrics."""
        return self._expiries

    async def look(self) -> None:
        """On every hub, for its own metrics, and so that it knows what to star out."""
        rows = await self._store.read(token_queries.everything)
        self._tokens.learn(rows)
        self._expiries = {key: row.expires_at for key, row in rows.items() if row.expires_at is not None}

    async def renew(self) -> None:
        """Log in where a token nears its end; one that was never asked for is left alone."""
        rows = await self._store.read(token_queries.everything)
        for key in self._registry.accounts():
            row = rows.get(key)
            if row is not None and self._is_due(key, row):
                try:
                    await self._tokens.token(key, rejected=row.generation)
                except AtalaiaError:
                    continue  # kept with the token, told as an event, tried again after its pause

    async def clear_away(self) -> None:
        before = self._clock.now() - timedelta(days=int(self._settings.get(KEEP_DAYS)))
        names = [each.declaration.name for each in self._registry.all()]
        for _ in range(MAX_BATCHES):
            removed = await self._store.write(
                lambda tx: record_queries.clear_away(
                    tx, before=before, upstreams=names, newest=NEWEST_FAILURES, limit=BATCH_ROWS
                )
            )
            if removed < BATCH_ROWS:
                return

    def _is_due(self, key: Key, row: TokenRow) -> bool:
        registered = self._registry.find(key[0])
        if row.sealed is None or registered.declaration.login is None or not registered.is_configured():
            return False
        due_at = renew_at(row)
        return due_at is not None and due_at <= self._clock.now()
