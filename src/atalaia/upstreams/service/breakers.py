"""Breakers that all hubs and workers see: a copy in memory for the quick question, the store for what counts."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from msgspec.structs import replace

from atalaia.core.clock import Clock, from_ms, to_ms
from atalaia.outbound.breaker import (
    CLOSED,
    FAILURES,
    BreakerState,
    ShownPhase,
    after_call,
    claim_trial,
    longest_pause_of,
    shown_phase,
    wait_s,
)
from atalaia.outbound.memory import refusal
from atalaia.sdk.transaction import Tx
from atalaia.sdk.upstreams import CallOutcome
from atalaia.store.store import Store
from atalaia.upstreams.model.registered import Key, Registry
from atalaia.upstreams.queries import breakers as queries
from atalaia.upstreams.queries.breakers import Kept
from atalaia.upstreams.service.telling import tell_back, tell_failing

PAGE_TOPIC = "upstreams"
TOPIC = "upstream_breakers"


class Ended(NamedTuple):
    """How a call ended, for its breaker."""

    key: Key
    outcome: CallOutcome
    at: datetime
    error: str = ""


class BreakerBook:
    """`before` and `after` are for this process' own calls; `apply` is for units of work."""

    def __init__(self, store: Store, *, clock: Clock, registry: Registry, wake: Callable[[], None]) -> None:
        self._store = store
        self._clock = clock
        self._registry = registry
        self._wake = wake
        self._kept: dict[Key, Kept] = {}
        self._pending: list[Ended] = []
        self._half_open: frozenset[Key] = frozenset()
        self.is_stale = True

    # -- asked, without the store

    def kept(self, key: Key) -> Kept:
        return self._kept.get(key) or Kept()

    def all(self) -> Mapping[Key, Kept]:
        return self._kept

    def phases(self) -> Mapping[Key, ShownPhase]:
        now_ms = self._now_ms()
        return {key: shown_phase(kept.state, now_ms=now_ms) for key, kept in self._kept.items()}

    def blocked_s(self, key: Key) -> float:
        """How long nothing should be begun that needs it; 0 also when a trial is due."""
        return wait_s(self.kept(key).state, now_ms=self._now_ms())

    # -- this process' calls

    async def before(self, key: Key) -> None:
        """Raises: TemporaryFailure: open, or another makes the trial."""
        if self.kept(key).state.phase == "closed":
            return
        # The store's word, since a person or another hub may have closed it, and what it has not heard of yet.
        self.adopt({key: await self._store.read(lambda tx: queries.find(tx, key))})
        if self.kept(key).state.phase == "closed":
            return
        if (left_s := self.blocked_s(key)) > 0:
            raise refusal(left_s)
        self._kept[key] = await self._store.write(lambda tx: self.claim(tx, key))

    def claim(self, tx: Tx, key: Key) -> Kept:
        """Take the one trial. Raises: TemporaryFailure: another has it."""
        kept = queries.lock(tx, key)
        if kept.state.phase == "closed":
            return kept
        now_ms = self._now_ms()
        claimed = claim_trial(kept.state, now_ms=now_ms)
        if claimed is None:
            raise refusal(wait_s(kept.state, now_ms=now_ms))
        return self._put(tx, key, kept, replace(kept, state=claimed))

    def after(self, key: Key, outcome: CallOutcome) -> None:
        """Count at once here; the store hears of it with the next batch, and soon when it matters."""
        ended = Ended(key, outcome, self._clock.now())
        before = self.kept(key)
        state = self._stepped(before.state, ended)
        self._kept[key] = replace(before, state=state)
        self._pending.append(ended)
        if outcome in FAILURES or before.state.phase != "closed":
            self._wake()

    # -- in units of work

    def take_pending(self) -> list[Ended]:
        taken, self._pending = self._pending, []
        return taken

    def give_back(self, taken: list[Ended]) -> None:
        """They could not be written; they count again with the next batch."""
        self._pending = [*taken, *self._pending]

    def apply(self, tx: Tx, ended: Iterable[Ended]) -> dict[Key, Kept]:
        """What these results make of the breakers in the store; told when one opens for the first time, or closes."""
        by_key: dict[Key, list[Ended]] = {}
        for each in ended:
            by_key.setdefault(each.key, []).append(each)
        return {key: self._apply_one(tx, key, by_key[key]) for key in sorted(by_key)}

    def adopt(self, kept: Mapping[Key, Kept]) -> None:
        """After the commit: the store's word, and on top of it what has happened here since."""
        for key, each in kept.items():
            state = each.state
            for ended in self._pending:
                if ended.key == key:
                    state = self._stepped(state, ended)
            self._kept[key] = replace(each, state=state)

    def reset(self, tx: Tx, key: Key) -> Kept:
        kept = queries.lock(tx, key)
        return self._put(tx, key, kept, self._closed(tx, key, kept, at=self._clock.now()))

    async def refresh(self) -> None:
        """What other hubs have made of them; the store is asked only after a change."""
        if self.is_stale:
            self.is_stale = False
            self.adopt(await self._store.read(queries.everything))
        self._tell_pages()

    def _tell_pages(self) -> None:
        """The end of a pause is written nowhere, so that each hub tells its own pages."""
        half_open = frozenset(key for key, phase in self.phases().items() if phase == "half_open")
        for name, _account in sorted(half_open - self._half_open):
            self._store.live.publish(PAGE_TOPIC, name)
        self._half_open = half_open

    # -- inside

    def _apply_one(self, tx: Tx, key: Key, ended: list[Ended]) -> Kept:
        kept = queries.lock(tx, key)
        state = kept.state
        for each in ended:
            state = self._stepped(state, each)
        after = replace(kept, state=state)
        if state.phase == "open" and kept.failing_since is None:
            error = next((each.error for each in reversed(ended) if each.error), "")
            after = self._failing(tx, key, after, error)
        elif state.phase == "closed":
            after = self._closed(tx, key, after, at=ended[-1].at, state=state)
        return self._put(tx, key, kept, after)

    def _stepped(self, state: BreakerState, ended: Ended) -> BreakerState:
        longest_s = longest_pause_of(self._registry.find(ended.key[0]).polling_interval_s)
        return after_call(state, ended.outcome, now_ms=to_ms(ended.at), longest_pause_s=longest_s)

    def _failing(self, tx: Tx, key: Key, kept: Kept, error: str) -> Kept:
        at = from_ms(kept.state.since_ms)
        declared = self._registry.declared(key[0])
        if not declared.is_told_by_integration:
            tell_failing(tx, key, "breaker", title=declared.title, reason=error, at=at)
        return replace(kept, failing_since=at, reason=error or None)

    def _closed(self, tx: Tx, key: Key, kept: Kept, *, at: datetime, state: BreakerState = CLOSED) -> Kept:
        if kept.failing_since is not None:
            title = self._registry.declared(key[0]).title
            tell_back(tx, key, "breaker", title=title, at=at)
        return Kept(state)

    def _put(self, tx: Tx, key: Key, before: Kept, after: Kept) -> Kept:
        if after != before:
            queries.change(tx, key, after)
        if after.state.phase != before.state.phase:
            tx.publish(TOPIC, key[0])
            tx.publish(PAGE_TOPIC, key[0])
        return after

    def _now_ms(self) -> int:
        return to_ms(self._clock.now())


class StoreBreaker:
    """The port that a client of this hub is given: see sdk.upstreams.Breaker."""

    def __init__(self, book: BreakerBook, upstream: str) -> None:
        self._book = book
        self._upstream = upstream

    async def before(self, account: str) -> None:
        await self._book.before((self._upstream, account))

    def after(self, account: str, outcome: CallOutcome) -> None:
        self._book.after((self._upstream, account), outcome)
