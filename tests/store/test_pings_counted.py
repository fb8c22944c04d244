"""Pings count once, whoever sends them again, and round trips keep the time at which they were measured."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest

from atalaia.agents.events import RecordsReceived
from atalaia.agents.model.wire import Ping
from atalaia.agents.model.wire import Source as WireSource
from atalaia.core.clock import to_ms
from atalaia.core.errors import InvalidField
from atalaia.core.settings import Settings
from atalaia.metrics.model import make_query
from atalaia.metrics.service.metrics import MetricsService
from atalaia.metrics.settings import SETTINGS as METRICS_SETTINGS
from atalaia.metrics.wiring import make_service
from atalaia.outbound.guard import Guard
from atalaia.outbound.http import HttpClient
from atalaia.pings.model import Received, RouteStats, SourceKey
from atalaia.pings.service import PingsService, sources
from atalaia.pings.settings import SETTINGS as PINGS_SETTINGS
from atalaia.store.store import Store
from tests.conftest import MakeStore
from tests.fakes import FakeClock

SP = SourceKey("sao-paulo", "dc1", "BR")
FRA = SourceKey("frankfurt", "dc2", "DE")


def service(store: Store, clock: FakeClock) -> tuple[PingsService, MetricsService]:
    settings = Settings([*METRICS_SETTINGS, *PINGS_SETTINGS])
    http = HttpClient(Guard())
    metrics = make_service(store, settings=settings, clock=clock, http=lambda: http)
    return PingsService(store, metrics=metrics, settings=settings, clock=clock), metrics


@pytest.fixture
def store(make_store: MakeStore) -> Store:
    return make_store("metrics", "pings")


def ping(clock: FakeClock, source: SourceKey = SP, ping_id: bytes | None = None) -> Received:
    return Received(ping_id or uuid4().bytes, source, to_ms(clock.now()))


async def _send(pings: PingsService, *received: Received) -> list[bool]:
    return list(await asyncio.gather(*(pings.receiving.receive(each) for each in received)))


def _counts(stats: list[RouteStats]) -> dict[str, int]:
    return {each.source.location: each.count for each in stats}


async def _rows(store: Store, table: str) -> int:
    return int((await store.read(lambda tx: tx.raw(f"SELECT count(*) FROM {table}")))[0][0])


def test_a_ping_counts_once_alone_in_a_group_and_after_a_restart(store: Store, clock: FakeClock) -> None:
    async def run() -> None:
        pings, _ = service(store, clock)
        first, second, third = ping(clock), ping(clock), ping(clock, FRA)
        assert await _send(pings, first) == [True]
        assert sum(await _send(pings, first, second, second, third)) == 2
        restarted, _ = service(store, clock)
        assert await _send(restarted, first, second, ping(clock)) == [False, False, True]
        assert _counts(await restarted.stats.by_source(hours=24)) == {"frankfurt": 1, "sao-paulo": 3}

    asyncio.run(run())


def test_two_hubs_count_the_same_ping_once(store: Store, clock: FakeClock) -> None:
    if store.dialect == "sqlite":
        pytest.skip("SQLite has one hub")

    async def run() -> None:
        (one, _), (two, _) = service(store, clock), service(store, clock)
        same = [ping(clock) for _ in range(50)]
        answers = await asyncio.gather(_send(one, *same), _send(two, *reversed(same)))
        assert sum(map(sum, answers)) == 50
        assert _counts(await one.stats.by_source(hours=1)) == {"sao-paulo": 50}

    asyncio.run(run())


def test_stats_look_back_as_far_as_they_are_asked(store: Store, clock: FakeClock) -> None:
    async def run() -> None:
        pings, _ = service(store, clock)
        await _send(pings, ping(clock))
        clock.advance(7200)
        await _send(pings, ping(clock), ping(clock))
        assert _counts(await pings.stats.by_source(hours=1)) == {"sao-paulo": 2}
        assert _counts(await pings.stats.by_source(hours=3)) == {"sao-paulo": 3}
        with pytest.raises(InvalidField):
            await pings.stats.by_source(hours=0)

    asyncio.run(run())


def test_old_pings_and_reports_are_cleared_away(store: Store, clock: FakeClock) -> None:
    async def run() -> None:
        pings, _ = service(store, clock)
        store.on(RecordsReceived, pings.reporting.on_records)
        await _send(pings, *(ping(clock) for _ in range(20)))
        await store.write(lambda tx: tx.emit(_reported(clock, [5.0])))
        clock.advance(timedelta(days=8).total_seconds())
        kept = ping(clock)
        await _send(pings, kept)
        await pings.clear_away()
        tables = ("ping_batches", "pings", "ping_reports")
        left = [await _rows(store, table) for table in tables]
        assert sum(left[:2]) == 1
        assert left[2] == 1
        assert await _send(pings, kept) == [False]
        clock.advance(timedelta(days=90).total_seconds())
        await pings.clear_away()
        assert await _rows(store, "ping_reports") == 0

    asyncio.run(run())


def test_more_sources_than_the_limit_are_refused_and_the_limit_says_itself(
    store: Store, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "MAX_SOURCES", 2)

    async def run() -> None:
        pings, _ = service(store, clock)
        await _send(pings, ping(clock, SP), ping(clock, FRA))
        with pytest.raises(InvalidField, match="2 sources"):
            await _send(pings, ping(clock, SourceKey("tokyo", "", "JP")))
        assert await _send(pings, ping(clock, SP)) == [True]

    asyncio.run(run())


def _reported(clock: FakeClock, trips: list[float | None], *, late_s: float = 0) -> RecordsReceived:
    source = WireSource(*SP)
    start = to_ms(clock.now() - timedelta(seconds=late_s))
    made = [
        Ping(
            seq=n,
            ping_id=str(uuid4()),
            at=start + 1000 * n,
            outcome="ok" if trip is not None else "http_502",
            source=source,
            target="virginia",
            rtt_ms=trip,
        )
        for n, trip in enumerate(trips)
    ]
    return RecordsReceived(
        agent_id="a",
        agent_name="sp-1",
        results=[],
        pings=made,
        samples=[],
        received_at=clock.now(),
        clock_skew_ms=0,
    )


def test_round_trips_are_samples_at_the_time_of_measuring(store: Store, clock: FakeClock) -> None:
    async def run() -> None:
        pings, metrics = service(store, clock)
        store.on(RecordsReceived, pings.reporting.on_records)
        event = _reported(clock, [100.0, None, 120.0], late_s=600)
        await store.write(lambda tx: tx.emit(event))
        (item,) = await pings.stats.by_source(hours=1)
        assert (item.count, item.last_ms) == (0, 120.0)
        assert item.loss == pytest.approx(1 / 3)
        assert item.last_at == clock.now() - timedelta(seconds=598)
        labels = {"source_location": "sao-paulo", "source_country": "BR", "target_location": "virginia"}
        page = metrics.own.page().decode()
        assert "network_latency_rtt_seconds_count{" in page
        assert 'ping_errors_total{error_type="http_502",' in page
        rows = await store.read(lambda tx: tx.raw("SELECT name, labels FROM metrics_series ORDER BY name"))
        assert [name for name, _ in rows] == ["network_latency_last_rtt_seconds", "network_latency_rtt_seconds"]
        assert all(value in rows[0][1] for value in labels.values())
        question = make_query(
            metric="network_latency_rtt_seconds",
            selectors=(),
            from_ms=event.pings[0].at,
            to_ms=event.pings[-1].at + 1000,
            step_ms=1000,
            aggregation="avg",
        )
        (found,) = await metrics.query(question)
        assert found.values == [0.1, 0.12]

    asyncio.run(run())


def test_a_failed_batch_counts_no_round_trip(store: Store, clock: FakeClock) -> None:
    async def run() -> None:
        pings, metrics = service(store, clock)
        store.on(RecordsReceived, pings.reporting.on_records)

        def fail(tx: object) -> None:
            tx.emit(_reported(clock, [5.0]))  # type: ignore[attr-defined]
            raise ValueError("no")

        with pytest.raises(ValueError, match="no"):
            await store.write(fail)
        assert await pings.stats.by_source(hours=1) == []
        assert "network_latency_rtt_seconds_count{" not in metrics.own.page().decode()

    asyncio.run(run())
