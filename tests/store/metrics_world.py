"""A sample store to ask and to restart, for the tests of it."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from atalaia.core.clock import to_ms
from atalaia.core.settings import Settings
from atalaia.metrics.model import SeriesPoints, make_query
from atalaia.metrics.rollup import Aggregation
from atalaia.metrics.selectors import parse_selectors
from atalaia.metrics.service.ingest import Imported
from atalaia.metrics.service.metrics import MetricsService
from atalaia.metrics.settings import SETTINGS
from atalaia.metrics.wiring import make_service
from atalaia.outbound.http import HttpClient
from atalaia.store.store import Store
from tests.fakes import FakeClock

T = TypeVar("T")
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000


def no_http() -> HttpClient:
    raise AssertionError("nothing is sent here")


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


class World:
    """A store, a service on it, and what tests ask of them."""

    def __init__(self, store: Store, clock: FakeClock, environment: dict[str, str]) -> None:
        self.store = store
        self.clock = clock
        self.settings = Settings(SETTINGS, environment=environment)
        self.service = self.restart()

    def restart(self) -> MetricsService:
        """As after a kill: what was in memory only is gone."""
        self.service = make_service(self.store, settings=self.settings, clock=self.clock, http=no_http)
        run(self.service.start())
        return self.service

    @property
    def now_ms(self) -> int:
        return to_ms(self.clock.now())

    def take(self, body: str, *, sender: str = "key-1") -> Imported:
        return run(self.service.import_body(body.encode(), sender=sender))

    def ask(
        self,
        metric: str = "m",
        labels: str = "",
        *,
        since_ms: int | None = None,
        until_ms: int | None = None,
        step_ms: int = MINUTE,
        agg: Aggregation = "sum",
    ) -> list[SeriesPoints]:
        since_ms = self.now_ms - HOUR if since_ms is None else since_ms
        question = make_query(
            metric,
            tuple(parse_selectors(labels)),
            from_ms=since_ms,
            to_ms=self.now_ms + MINUTE if until_ms is None else until_ms,
            step_ms=step_ms,
            aggregation=agg,
        )
        return run(self.service.query(question))

    def points(self, **options: Any) -> dict[int, float]:
        found = self.ask(**options)
        assert len(found) <= 1
        points = dict(zip(found[0].times, found[0].values, strict=True)) if found else {}
        assert list(points) == sorted(found[0].times if found else [])  # each step once, in order
        return points

    def count(self, table: Any) -> int:
        return len(self.store.read_now(lambda tx: tx.rows(table.select())))
