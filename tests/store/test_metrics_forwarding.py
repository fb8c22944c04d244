"""Forwarding to a real VictoriaMetrics, and to targets that misbehave."""

import asyncio
import contextlib
import gzip
import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from atalaia.core.clock import SystemClock, to_ms
from atalaia.core.settings import Settings
from atalaia.metrics.events import ForwardingResumed, ForwardingStalled
from atalaia.metrics.forwarding.target import parse_targets
from atalaia.metrics.service.metrics import MetricsService
from atalaia.metrics.settings import SETTINGS
from atalaia.metrics.tables import forward_batches, forward_queue
from atalaia.metrics.wiring import make_service
from atalaia.outbound.guard import Guard, Trust
from atalaia.outbound.http import HttpClient
from atalaia.store.store import Store
from tests import servers
from tests.conftest import MakeStore
from tests.fakes import FakeClock


class MovingClock(SystemClock):
    """The present, and steps ahead on demand."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def now(self) -> Any:
        return super().now() + timedelta(seconds=self.ahead_s)

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead_s

    def advance(self, seconds: float) -> None:
        self.ahead_s += seconds


class Target:
    """A target that answers as it is told to, and keeps what it got."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, dict[str, str]]] = []
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.said = b""
        target = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                target.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
                target.headers.append(dict(self.headers))
                status, headers = target.answers.pop(0) if target.answers else (204, {})
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(target.said)))
                self.end_headers()
                self.wfile.write(target.said)

            def log_message(self, format: str, *args: Any) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def lines(self) -> list[str]:
        return [line for body in self.bodies for line in gzip.decompress(body).decode().splitlines()]


@pytest.fixture
def target() -> Iterator[Target]:
    made = Target()
    yield made
    made.close()


class Hub:
    def __init__(self, store: Store, urls: str, clock: Any) -> None:
        self.store = store
        self.clock = clock
        self.settings = Settings(SETTINGS, environment={"ATALAIA_METRICS_FORWARD_TARGETS": urls})
        self.told: list[Any] = []
        self.service = self.restart()

    def restart(self) -> MetricsService:
        self.service = make_service(self.store, settings=self.settings, clock=self.clock, http=lambda: self.http)
        return self.service

    def take(self, body: str) -> None:
        async def work() -> None:
            await self.service.import_body(body.encode(), sender="key-1")

        asyncio.run(work())

    def forward(self, rounds: int = 1) -> None:
        async def work() -> None:
            self.http = HttpClient(Guard(allow_private=False))
            for _ in range(rounds):
                await self.service.forwarder.run()
            await self.http.aclose()

        asyncio.run(work())

    def count(self, table: Any) -> int:
        return len(self.store.read_now(lambda tx: tx.rows(table.select())))


@pytest.fixture
def make_hub(make_store: MakeStore, clock: FakeClock) -> Callable[..., Hub]:
    return lambda urls, clock=clock: Hub(make_store("metrics"), urls, clock)


def test_samples_go_out_with_their_own_times_and_only_then_leave_the_queue(
    make_hub: Callable[..., Hub], target: Target
) -> None:
    hub = make_hub(target.url)
    now_ms = to_ms(hub.clock.now())
    hub.take(f'm{{a="1"}} 2.5 {now_ms - 7_200_000}\nm NaN {now_ms}\n')
    hub.forward()
    assert target.bodies == []
    assert hub.count(forward_queue) == 1
    hub.clock.advance(1.1)
    hub.forward()
    assert target.lines == [f'm{{a="1"}} 2.5 {now_ms - 7_200_000}', f"m NaN {now_ms}"]
    assert target.headers[0]["Content-Encoding"] == "gzip"
    assert (hub.count(forward_queue), hub.count(forward_batches)) == (0, 0)
    assert hub.service.targets()[0].sent_samples == 2


def test_a_full_batch_does_not_wait(make_hub: Callable[..., Hub], target: Target) -> None:
    hub = make_hub(target.url)
    now_ms = to_ms(hub.clock.now())
    hub.take("".join(f"m {n} {now_ms - n}\n" for n in range(12_000)))
    hub.forward()
    assert [len(gzip.decompress(body).splitlines()) for body in target.bodies] == [10_000, 2_000]


def test_a_resend_is_the_same_bytes_even_after_a_restart(make_hub: Callable[..., Hub], target: Target) -> None:
    hub = make_hub(target.url)
    target.answers = [(503, {}), (500, {}), (429, {"Retry-After": "120"})]
    hub.take("m 1\n")
    hub.clock.advance(2)
    for _ in range(3):
        hub.take("other 1\n")
        hub.forward()
        hub.restart()
        hub.clock.advance(2)
    assert len(target.bodies) == 3
    hub.clock.advance(200)
    hub.forward(2)
    assert target.bodies[0] == target.bodies[1] == target.bodies[2] == target.bodies[3]
    assert len(target.bodies) == 5
    assert hub.count(forward_batches) == 0


def test_retry_after_is_kept(make_hub: Callable[..., Hub], target: Target) -> None:
    hub = make_hub(target.url)
    target.answers = [(429, {"Retry-After": "120"})]
    hub.take("m 1\n")
    hub.clock.advance(2)
    hub.forward()
    hub.clock.advance(119)
    hub.forward()
    assert len(target.bodies) == 1
    hub.clock.advance(2)
    hub.forward()
    assert len(target.bodies) == 2


def test_a_refusal_in_whatever_bytes_is_put_on_record(make_hub: Callable[..., Hub], target: Target) -> None:
    hub = make_hub(target.url)
    target.answers, target.said = [(400, {})], b"no\x00\x1b[2Jgood"
    hub.take("m 1\n")
    hub.clock.advance(1.1)
    hub.forward()
    (aside,) = hub.store.read_now(lambda tx: tx.rows(forward_batches.select()))
    assert aside.why.endswith("no  [2Jgood")


def test_after_the_clock_was_set_back_samples_go_out_as_before(make_hub: Callable[..., Hub], target: Target) -> None:
    hub = make_hub(target.url)
    hub.take("m 1\n")
    hub.clock.jump(-3600)
    hub.forward()
    assert len(target.bodies) == 1


def test_what_is_refused_is_set_aside_whole_and_blocks_nothing(make_hub: Callable[..., Hub], target: Target) -> None:
    hub = make_hub(target.url)
    target.answers = [(400, {})]
    hub.take("bad 1\n")
    hub.clock.advance(2)
    hub.forward()
    hub.take("good 1\n")
    hub.clock.advance(2)
    hub.forward()
    assert target.lines[1].startswith("good 1")
    state = hub.service.targets()[0]
    assert (state.set_aside_batches, state.waiting_samples) == (1, 0)
    aside = hub.store.read_now(lambda tx: tx.one(forward_batches.select()))
    assert aside is not None
    assert "400" in aside.why
    assert b"bad 1" in gzip.decompress(aside.body)


def test_each_of_several_targets_gets_everything_by_itself(make_hub: Callable[..., Hub], target: Target) -> None:
    nobody = f"http://127.0.0.1:{servers.free_port()}"
    hub = make_hub(f"{nobody},{target.url}")
    hub.take("m 1\n")
    hub.clock.advance(2)
    hub.forward()
    assert len(target.lines) == 1
    assert [each.waiting_samples for each in hub.service.targets()] == [1, 0]


def test_two_minutes_of_nothing_sent_are_told_and_so_is_the_recovery(
    make_hub: Callable[..., Hub], target: Target
) -> None:
    hub = make_hub(target.url)
    hub.store.on(ForwardingStalled, lambda _tx, event: hub.told.append(event))
    hub.store.on(ForwardingResumed, lambda _tx, event: hub.told.append(event))
    target.answers = [(503, {})] * 50
    hub.take("m 1\n")
    for _ in range(12):
        hub.clock.advance(10)
        hub.forward()
    assert hub.told == []
    hub.clock.advance(15)
    hub.forward()
    assert [type(event) for event in hub.told] == [ForwardingStalled]
    assert hub.told[0].waiting == 1
    assert "503" in hub.told[0].reason
    assert not hub.service.forwarder.is_healthy
    target.answers = []
    hub.clock.advance(70)
    hub.forward()
    assert [type(event) for event in hub.told] == [ForwardingStalled, ForwardingResumed]
    assert hub.service.forwarder.is_healthy


def test_too_much_waiting_drops_the_oldest_and_counts_it(make_store: MakeStore, clock: FakeClock) -> None:
    hub = Hub(make_store("metrics"), f"http://127.0.0.1:{servers.free_port()}", clock)
    hub.settings.set_page_values({"metrics.forward_max_mb": 1})
    now_ms = to_ms(clock.now())
    for batch in range(15):
        hub.take("".join(f"m{n % 7} {n * 1.2345678901 + batch} {now_ms - n}\n" for n in range(10_000)))
        clock.advance(3)
        hub.forward()
    state = hub.service.targets()[0]
    assert state.dropped_samples > 0
    assert state.dropped_samples + state.waiting_samples == 150_000


def test_what_nobody_waits_for_goes_after_a_week(make_hub: Callable[..., Hub], target: Target) -> None:
    nobody = f"http://127.0.0.1:{servers.free_port()}"
    hub = make_hub(nobody)
    hub.take("m 1\n")
    other = Hub(hub.store, target.url, hub.clock)
    asyncio.run(other.service.forwarder.clean_up())
    assert hub.count(forward_queue) == 1
    hub.clock.advance(8 * 86_400)
    asyncio.run(hub.service.forwarder.clean_up())
    assert hub.count(forward_queue) == 1
    asyncio.run(other.service.forwarder.clean_up())
    assert hub.count(forward_queue) == 0


def test_addresses_keep_their_credentials_out_of_sight() -> None:
    typed, fixed = (
        parse_targets(["https://user:p%40ss@vm.example/?extra_label=a=b"], is_fixed=is_fixed)[0]
        for is_fixed in (False, True)
    )
    assert typed.name == "https://vm.example/api/v1/import/prometheus"
    assert typed.url == "https://vm.example/api/v1/import/prometheus?extra_label=a=b"
    assert typed.headers["Authorization"] == "Basic dXNlcjpwQHNz"
    assert (typed.trust, fixed.trust) == (Trust.TYPED, Trust.CONFIGURED)
    assert parse_targets(["http://vm/insert/0/prometheus"], is_fixed=True)[0].url == "http://vm/insert/0/prometheus"


# -- with the real one

VICTORIA = servers.find_binary("victoria-metrics")


@contextlib.contextmanager
def victoria(folder: Path, port: int) -> Iterator[str]:
    url = f"http://127.0.0.1:{port}"
    command = [VICTORIA or "", f"-storageDataPath={folder}", f"-httpListenAddr=127.0.0.1:{port}"]
    command += ["-search.latencyOffset=0s", "-dedup.minScrapeInterval=1ms", "-retentionPeriod=1y"]
    with servers.running(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
        servers.wait_until(lambda: answers(url), what="VictoriaMetrics")
        yield url


def answers(url: str) -> bool:
    try:
        with urlopen(f"{url}/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def exported(url: str, metric: str) -> dict[int, float]:
    """All that is stored of one series, by time; fails when a time is there twice."""
    with urlopen(f"{url}/internal/force_flush", timeout=60):
        pass
    query = urlencode({"match[]": metric, "reduce_mem_usage": "1"})
    with urlopen(f"{url}/api/v1/export?{query}", timeout=60) as answer:
        rows = [json.loads(line) for line in answer.read().splitlines()]
    found: dict[int, float] = {}
    for row in rows:
        for at_ms, value in zip(row["timestamps"], row["values"], strict=True):
            assert found.get(at_ms, value) == value
            found[at_ms] = value
    return found


@pytest.mark.skipif(VICTORIA is None, reason="VictoriaMetrics (Debian package victoria-metrics) is not installed")
def test_a_stopped_victoria_metrics_misses_nothing_and_has_nothing_twice(
    make_hub: Callable[..., Hub], tmp_path: Path
) -> None:
    port = servers.free_port()
    clock = MovingClock()
    hub = make_hub(f"http://127.0.0.1:{port}", clock)
    start = to_ms(clock.now()) - 600_000
    expected = {}

    def take(numbers: range) -> None:
        lines = [f"kept {n * 0.25} {start + n * 1000}" for n in numbers]
        expected.update({start + n * 1000: n * 0.25 for n in numbers})
        hub.take("\n".join(lines) + "\n")
        clock.advance(1.5)

    with victoria(tmp_path / "vm", port):
        take(range(50))
        hub.forward()
    take(range(50, 100))
    hub.forward()
    take(range(100, 150))
    hub.forward()
    hub.restart()
    with victoria(tmp_path / "vm", port) as url:
        clock.advance(120)
        take(range(150, 200))
        hub.forward(3)
        assert hub.service.targets()[0].waiting_samples == 0
        servers.wait_until(lambda: exported(url, "kept") == expected, what="the samples", timeout_s=60)
        query = urlencode({"query": "count_over_time(kept[1h])", "time": str(start / 1000 + 300)})
        with urlopen(f"{url}/api/v1/query?{query}", timeout=60) as answer:
            assert json.loads(answer.read())["data"]["result"][0]["value"][1] == "200"


@pytest.mark.skipif(VICTORIA is None, reason="VictoriaMetrics (Debian package victoria-metrics) is not installed")
def test_dashboards_find_bare_names_at_their_measured_time_beside_the_histograms(
    make_hub: Callable[..., Hub], tmp_path: Path
) -> None:
    port = servers.free_port()
    clock = MovingClock()
    hub = make_hub(f"http://127.0.0.1:{port}", clock)
    measured_ms = to_ms(clock.now()) - 3_600_000
    names = ("network_latency_rtt_seconds", "collector_api_processing_seconds")
    rows = [(name, {"source_location": "sp"}, measured_ms, 0.031) for name in names]
    source = {"location": "sp", "datacenter": "dc1", "country": "BR"}
    hub.service.own.ping_reported(source, "hub", outcome="ok", rtt_s=0.031)
    hub.service.own.pings_received({("sp", "BR"): 1}, took_s=(0.002,))

    async def write() -> None:
        await hub.store.write(lambda tx: hub.service.write_samples(tx, rows))
        await hub.service.write_own()

    asyncio.run(write())
    clock.advance(1.5)
    with victoria(tmp_path / "vm", port) as url:
        hub.forward(2)
        # What has come is found after a moment, not at once.
        servers.wait_until(lambda: exported(url, "ping_service_up") != {}, what="the samples", timeout_s=60)
        for name in names:
            assert exported(url, name) == {measured_ms: 0.031}
            for suffix in ("_bucket", "_sum", "_count"):
                assert exported(url, f'{name}{suffix}{{le=~"|[+]Inf"}}') != {}
