"""The use cases of pings, in one object."""

from datetime import timedelta

from atalaia.core.clock import Clock, to_ms
from atalaia.core.settings import Settings
from atalaia.metrics.service.metrics import MetricsService
from atalaia.pings.queries import receiving as receiving_queries
from atalaia.pings.queries import reports as report_queries
from atalaia.pings.service.meter import Meter
from atalaia.pings.service.receiving import Receiving
from atalaia.pings.service.reporting import Reporting
from atalaia.pings.service.sources import Sources
from atalaia.pings.service.stats import Stats
from atalaia.store.store import Store

# Rows of one clearing step: short enough that nobody waits for it.
_STEP_ROWS = 2_000
_MAX_STEPS = 200


class PingsService:
    def __init__(self, store: Store, *, metrics: MetricsService, settings: Settings, clock: Clock) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock
        self.sources = Sources()
        self.receiving = Receiving(store, self.sources, clock=clock)
        self.reporting = Reporting(metrics, self.sources)
        self.meter = Meter(store, metrics)
        self.stats = Stats(store, clock=clock)

    async def clear_away(self) -> None:
        """Drop what is older than the settings say, in small steps."""
        now = self._clock.now()
        ids_before = to_ms(now - timedelta(days=self._settings.get("pings.ids_days")))
        reports_before = to_ms(now - timedelta(days=self._settings.get("pings.reports_days")))
        for _ in range(_MAX_STEPS):
            gone = await self._store.write(
                lambda tx: receiving_queries.drop_old(tx, received_before_ms=ids_before, limit=_STEP_ROWS)
            )
            gone += await self._store.write(
                lambda tx: report_queries.drop_old(tx, before_ms=reports_before, limit=_STEP_ROWS)
            )
            if not gone:
                break
        await self._store.write(lambda tx: report_queries.drop_old_counts(tx, before_ms=reports_before))
