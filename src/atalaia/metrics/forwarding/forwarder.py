"""Samples to VictoriaMetrics, each once, however often it takes.

1. With each commit of samples a row for each target comes into the queue, in the same transaction.
2. Rows of up to 10,000 samples (or all, when the oldest has waited a second) become a batch: its body is written once and
   stored, in one transaction with the removal of the rows.
3. The oldest batch is sent; only after a 2xx it is removed. Until then the same bytes go out again, for ever, with backoff.
   (A lost answer makes VictoriaMetrics get it twice: there `-dedup.minScrapeInterval=1ms` counts it once.)
4. What is refused as such (400, 413, 422) is set aside whole, to look at, and the next goes out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import msgspec
import structlog

from atalaia.core.clock import Clock, to_ms
from atalaia.core.errors import AtalaiaError
from atalaia.core.settings import Settings
from atalaia.metrics.batches import join_samples, unpack_batch
from atalaia.metrics.events import ForwardingResumed, ForwardingStalled
from atalaia.metrics.exposition import Samples
from atalaia.metrics.forwarding.bodies import MAX_SAMPLES, write_body
from atalaia.metrics.forwarding.target import Target, parse_targets
from atalaia.metrics.queries import forwarding as queries
from atalaia.metrics.queries import series as series_queries
from atalaia.metrics.queries.forwarding import Batch, Depth, QueuedRow
from atalaia.metrics.queries.samples import ChangedMeanwhile
from atalaia.outbound.http import HttpClient, phrase_of
from atalaia.outbound.limits import Limits
from atalaia.outbound.retry import full_jitter_s, parse_retry_after_s
from atalaia.sdk.transaction import Tx
from atalaia.store.store import Store

WAIT_S = 1.0
STALLED_AFTER_S = 120.0
MEASURE_EVERY_S = 2.0
BACKOFF_BASE_S, BACKOFF_CAP_S = 1.0, 60.0
ROWS_A_ROUND = 2_000
BATCHES_A_ROUND = 50
# A target that was taken out by mistake finds its samples again within these.
FORGOTTEN_AFTER_DAYS = 7
ASIDE_KEPT = 200
_REFUSED = frozenset({400, 413, 422})
_LIMITS = Limits(connect_s=5, read_s=30, whole_s=60, body_bytes=65_536, cuts_body=True)

log = structlog.get_logger()


class TargetState(msgspec.Struct):
    """What is known of a target since the start."""

    depth: Depth = Depth()
    sent_samples: int = 0
    dropped_samples: int = 0
    failures: int = 0  # in a row
    last_error: str = ""
    sent_at: datetime | None = None
    retry_at: float = float("-inf")  # monotonic
    idle_since: float | None = None  # monotonic: the beginning of a time with something to send and nothing sent
    is_stalled: bool | None = None  # nothing was told since the start
    measured_at: float = float("-inf")  # monotonic


class Forwarder:
    """`enqueue` in the transaction of the samples; `run` is called by a loop, on the leader."""

    def __init__(self, store: Store, http: Callable[[], HttpClient], *, settings: Settings, clock: Clock) -> None:
        self._store = store
        self._http = http
        self._clock = clock
        self._settings = settings
        self.states: dict[str, TargetState] = {}
        self._targets: list[Target] = []
        self.read_settings()
        settings.on_change(self.read_settings)

    @property
    def targets(self) -> list[Target]:
        return self._targets

    def read_settings(self) -> None:
        setting = self._settings.lookup("metrics.forward_targets")
        try:
            self._targets = parse_targets(setting.value, is_fixed=setting.is_fixed)
        except AtalaiaError as error:
            log.warning("forward_targets_unreadable", reason=str(error))
            return
        self.states = {target.name: self.states.get(target.name, TargetState()) for target in self._targets}

    def enqueue(self, tx: Tx, samples: int, blob: bytes) -> None:
        if self._targets:
            names = [target.name for target in self._targets]
            now_ms = to_ms(self._clock.now())
            queries.enqueue(tx, names, samples=samples, data=blob, now_ms=now_ms)

    @property
    def is_healthy(self) -> bool:
        return not any(state.is_stalled for state in self.states.values())

    async def run(self) -> None:
        """One round for every target, side by side."""
        rounds = await asyncio.gather(*(self._serve(target) for target in self._targets), return_exceptions=True)
        for error in rounds:
            if isinstance(error, BaseException) and not isinstance(error, ChangedMeanwhile):
                raise error

    async def clean_up(self) -> None:
        """Away with what nobody waits for: targets that are no longer set, and old refusals."""
        names = [target.name for target in self._targets]
        before = self._clock.now() - timedelta(days=FORGOTTEN_AFTER_DAYS)
        await self._store.write(partial(queries.clean_up, targets=names, before=before, aside_kept=ASIDE_KEPT))

    async def _serve(self, target: Target) -> None:
        state = self.states[target.name]
        await self._make_batches(target)
        await self._bound(target, state)
        if self._clock.monotonic() >= state.retry_at:
            for _ in range(BATCHES_A_ROUND):
                batch = await self._store.read(partial(queries.next_batch, target=target.name))
                if batch is None or not await self._send(target, state, batch):
                    break
        if self._clock.monotonic() - state.measured_at >= MEASURE_EVERY_S:
            state.depth = await self._store.read(partial(queries.depth, target=target.name))
            state.measured_at = self._clock.monotonic()
            await self._watch(target, state)

    async def _make_batches(self, target: Target) -> None:
        while True:
            rows = await self._store.read(partial(queries.read_queue, target=target.name, limit=ROWS_A_ROUND))
            ready = _ready(rows, self._clock.now())
            if not ready:
                return
            samples = join_samples([block for row in ready for block in unpack_batch(row.data)])
            ids = set(samples.series_ids.tolist())
            found = await self._store.read(partial(series_queries.by_ids, series_ids=ids))
            names = {row.id: row.series.text for row in found}
            batches = await asyncio.to_thread(_bodies, samples, names, ready[0].created_at)
            queued = [row.id for row in ready]
            await self._store.write(partial(queries.make_batches, target=target.name, queued=queued, batches=batches))

    async def _bound(self, target: Target, state: TargetState) -> None:
        limit = self._settings.get("metrics.forward_max_mb") * 1_000_000
        excess = state.depth.size_bytes - limit
        if excess > 0:
            dropped = await self._store.write(partial(queries.drop_oldest, target=target.name, size_bytes=excess))
            state.dropped_samples += dropped
            log.error("forward_queue_full", target=target.name, dropped_samples=dropped)

    async def _send(self, target: Target, state: TargetState, batch: Batch) -> bool:
        try:
            response = await self._http().request(
                "POST", target.url, headers=target.headers, body=batch.body, trust=target.trust, limits=_LIMITS
            )
        except AtalaiaError as error:
            self._failed(target, state, str(error), None)
            return False
        now = self._clock.now()
        if response.is_success:
            await self._store.write(partial(queries.drop_batch, batch_id=batch.id))
            self._succeeded(target, state, batch.samples, now)
            return True
        said = "".join(char if char.isprintable() else " " for char in response.text()[:500])  # NUL no database keeps
        reason = f"{phrase_of(response.status)}: {said}"
        if response.status in _REFUSED:
            await self._store.write(partial(queries.set_aside, batch_id=batch.id, why=reason, now=now))
            log.error("forward_batch_set_aside", target=target.name, batch=batch.id, reason=reason)
            # The target answers, and what it refuses is not waiting any more.
            self._succeeded(target, state, 0, now)
            state.last_error = reason
            return True
        self._failed(target, state, reason, parse_retry_after_s(response.headers.get("Retry-After"), now=now))
        return False

    def _succeeded(self, target: Target, state: TargetState, samples: int, now: datetime) -> None:
        if state.failures:
            log.warning("forward_back", target=target.name)
        state.failures, state.last_error, state.idle_since = 0, "", None
        state.sent_samples += samples
        state.sent_at = now
        state.retry_at = float("-inf")

    def _failed(self, target: Target, state: TargetState, reason: str, retry_after_s: float | None) -> None:
        state.failures += 1
        if state.failures == 1:
            log.warning("forward_unavailable", target=target.name, reason=reason)
        state.last_error = reason
        backoff_s = full_jitter_s(state.failures, base_s=BACKOFF_BASE_S, cap_s=BACKOFF_CAP_S)
        state.retry_at = self._clock.monotonic() + max(backoff_s, retry_after_s or 0.0)

    async def _watch(self, target: Target, state: TargetState) -> None:
        """Nothing sent for two minutes while there was something: an incident, until something is sent again."""
        now = self._clock.monotonic()
        if state.depth.samples == 0:
            state.idle_since = None
        elif state.idle_since is None:
            state.idle_since = now
        is_stalled = state.idle_since is not None and now - state.idle_since >= STALLED_AFTER_S
        is_known = is_stalled or state.depth.samples == 0 or state.sent_at is not None
        if is_stalled == state.is_stalled or not is_known:
            return
        if is_stalled:
            since = self._clock.now() - timedelta(seconds=now - (state.idle_since or now))
            event: ForwardingStalled | ForwardingResumed = ForwardingStalled(
                target=target.name, since=since, waiting=state.depth.samples, reason=state.last_error
            )
        else:
            event = ForwardingResumed(target=target.name)
        await self._store.write(lambda tx: tx.emit(event))
        state.is_stalled = is_stalled


def _ready(rows: list[QueuedRow], now: datetime) -> list[QueuedRow]:
    """Rows that make full batches, or all that there are when the oldest has waited long enough."""
    if not rows:
        return []
    # Later than now: the clock was set back, and is not waited for.
    is_due = abs((now - rows[0].created_at).total_seconds()) >= WAIT_S
    if sum(row.samples for row in rows) < MAX_SAMPLES and not is_due:
        return []
    return rows


def _bodies(samples: Samples, names: dict[int, str], created_at: datetime) -> list[tuple[int, datetime, bytes]]:
    batches = []
    for start in range(0, len(samples), MAX_SAMPLES):
        part = samples.pick(slice(start, start + MAX_SAMPLES))
        batches.append((len(part), created_at, write_body(part, names)))
    return batches
