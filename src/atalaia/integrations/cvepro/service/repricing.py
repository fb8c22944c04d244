"""Sessions are priced soon after they ended or changed, and anew where another tariff holds for them by now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final
from zoneinfo import ZoneInfo

from atalaia.integrations.cvepro.queries import costs
from atalaia.integrations.cvepro.queries.costs import Span
from atalaia.integrations.cvepro.service.billing import zone_of
from atalaia.integrations.cvepro.service.prices import kept_of, prices
from atalaia.sdk.contribution import Loop
from atalaia.sdk.integration import Host
from atalaia.sdk.transaction import Tx

_EVERY_S: Final = 5.0
_AT_ONCE: Final = 200


@dataclass(frozen=True, slots=True)
class _Batch:
    """`oldest`: when the last of it began; none: there are no more."""

    spans: list[Span]
    kept: Sequence[Any]
    oldest: datetime | None


class Repricing:
    """Whoever asks before it has come round is given the same figures, only later: see figures.figures."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._settled: list[Span] | None = None  # for these every session has been looked at

    def loop(self) -> Loop:
        return Loop("cvepro_pricing", _EVERY_S, self.run)

    async def run(self) -> None:
        """Read and priced beside the writer, which only keeps it: of what changed meanwhile nothing is kept."""
        batch = await self._next(None)
        while batch.oldest is not None:
            batch = await self._next(batch.oldest)
        self._settled = batch.spans

    async def _next(self, below: datetime | None) -> _Batch:
        batch = await self._host.read(partial(self._batch, zone=zone_of(self._host), below=below))
        if batch.kept:
            await self._host.write(partial(costs.keep, priced=batch.kept))
        return batch

    def _batch(self, tx: Tx, *, zone: ZoneInfo, below: datetime | None) -> _Batch:
        priced = prices(tx, zone)
        spans = priced.spans
        if not spans:
            return _Batch(spans, (), None)
        # Once all have been looked at, an index knows those that are new.
        is_settled = spans == self._settled
        rows = (costs.unpriced if is_settled else costs.stale)(tx, spans, below=below, limit=_AT_ONCE)
        return _Batch(spans, kept_of(tx, rows, priced), rows[-1].sort_at if len(rows) == _AT_ONCE else None)
