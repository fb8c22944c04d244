"""What pings add up to, per source."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from atalaia.core.clock import Clock, from_ms, to_ms
from atalaia.core.errors import InvalidField
from atalaia.core.translations import N_
from atalaia.pings.model import OK, Report, RouteStats, Source, Summary, summarize
from atalaia.pings.queries import reports as queries
from atalaia.sdk.transaction import Tx
from atalaia.store.store import Store

MAX_HOURS = 24 * 90


@dataclass(frozen=True, slots=True)
class Route:
    """One source to one target, as the page shows it."""

    source: Source
    target: str
    summary: Summary
    recent_ms: list[float | None]

    @property
    def last_at(self) -> datetime | None:
        return from_ms(self.summary.last.at_ms) if self.summary.last else None

    @property
    def last_ms(self) -> float | None:
        return self.summary.last.rtt_ms if self.summary.last else None

    @property
    def is_answered(self) -> bool:
        return self.summary.last is not None and self.summary.last.outcome == OK


_RECENT = 40


class Stats:
    def __init__(self, store: Store, *, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def by_source(self, *, hours: int) -> list[RouteStats]:
        """Raises InvalidField."""
        since_ms = self._since_ms(hours)
        return await self._store.read(lambda tx: _by_source(tx, since_ms))

    async def routes(self, *, hours: int) -> tuple[list[Route], dict[Source, int]]:
        """Routes by source and target, and the pings received by source. Raises InvalidField."""
        since_ms = self._since_ms(hours)
        return await self._store.read(lambda tx: _routes(tx, since_ms))

    def _since_ms(self, hours: int) -> int:
        if not 1 <= hours <= MAX_HOURS:
            raise InvalidField("hours", N_("must be between 1 and {most}"), most=MAX_HOURS)
        return to_ms(self._clock.now() - timedelta(hours=hours))


def _by_source(tx: Tx, since_ms: int) -> list[RouteStats]:
    counts = queries.counts(tx, since_ms=since_ms)
    found = []
    for source_id, source in queries.sources(tx).items():
        by_target = queries.of_source(tx, source_id, since_ms=since_ms)
        if by_target or source_id in counts:
            reports = sorted((report for some in by_target.values() for report in some), key=lambda each: each.at_ms)
            found.append(_stats(source, counts.get(source_id, 0), reports))
    return sorted(found, key=lambda each: (each.source.location, each.source.datacenter, each.source.country))


def _stats(source: Source, count: int, reports: list[Report]) -> RouteStats:
    summary = summarize(reports)
    last = summary.last
    return RouteStats(
        source=source,
        count=count,
        loss=summary.loss,
        p50_ms=summary.p50_ms,
        p95_ms=summary.p95_ms,
        p99_ms=summary.p99_ms,
        jitter_ms=summary.jitter_ms,
        last_ms=last.rtt_ms if last else None,
        last_at=from_ms(last.at_ms) if last else None,
    )


def _routes(tx: Tx, since_ms: int) -> tuple[list[Route], dict[Source, int]]:
    counts = queries.counts(tx, since_ms=since_ms)
    sources = queries.sources(tx)
    routes = []
    for source_id, source in sources.items():
        for target, reports in queries.of_source(tx, source_id, since_ms=since_ms).items():
            recent = [report.rtt_ms for report in reports[-_RECENT:]]
            routes.append(Route(source, target, summarize(reports), recent))
    received = {sources[source_id]: count for source_id, count in counts.items() if source_id in sources}
    return sorted(routes, key=lambda route: (route.is_answered, route.source.location, route.target)), received
