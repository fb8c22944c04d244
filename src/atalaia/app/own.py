"""The hub's own loops, health items and metrics, of no slice."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from prometheus_client import Metric, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from atalaia.app import memory
from atalaia.app.supervisor import Supervisor
from atalaia.core.settings import Settings
from atalaia.sdk.contribution import HealthItem, Loop
from atalaia.store.leadership import RENEW_S, Leadership
from atalaia.store.page_settings import read_page_settings, write_page_setting
from atalaia.store.store import Store
from atalaia.web.live import LiveStreams

SETTINGS_PERIOD_S = 5.0
PROBE_PERIOD_S = 2.0
# A page of the file's size, so that the probe needs the room that real writes need.
PROBE_SIZE_BYTES = 4096
PROBE_KEY = "store.probe"


def own_loops(store: Store, leadership: Leadership, settings: Settings) -> Sequence[Loop]:
    """Leadership (PostgreSQL alone), settings that another hub changed, memory, and the way back from a full disk."""

    async def lead() -> None:
        await store.write(leadership.renew)

    async def refresh_settings() -> None:
        settings.set_page_values(await store.read(read_page_settings))

    async def probe() -> None:
        # Nothing writes while everybody is refused: without this, a store with room again would still be called full.
        if store.trouble is not None:
            await store.write(
                lambda tx: write_page_setting(tx, PROBE_KEY, "x" * PROBE_SIZE_BYTES, now=datetime.now(UTC))
            )
            await store.write(lambda tx: write_page_setting(tx, PROBE_KEY, None, now=datetime.now(UTC)))

    loops = [
        Loop("settings", SETTINGS_PERIOD_S, refresh_settings, leader_only=False),
        Loop("memory", memory.PERIOD_S, memory.give_back, leader_only=False),
        Loop("store-probe", PROBE_PERIOD_S, probe, leader_only=False),
    ]
    if store.dialect == "postgresql":
        loops.append(Loop("leadership", RENEW_S, lead, leader_only=False))
    return loops


def own_health(store: Store, supervisor: Supervisor) -> Sequence[HealthItem]:
    return (
        HealthItem("store", lambda: store.trouble is None),
        HealthItem("database", lambda: store.trouble is None),  # the name that the charging dashboard's users know
        HealthItem("loops", lambda: not supervisor.stuck()),
    )


class HubMetrics:
    """What the process itself says on /metrics."""

    def __init__(self, store: Store, supervisor: Supervisor, live: LiveStreams) -> None:
        self._store = store
        self._supervisor = supervisor
        self._live = live

    def collect(self) -> Iterable[Metric]:
        yield GaugeMetricFamily(
            "atalaia_store_waiting_units", "Units of work that wait to be written.", self._store.waiting
        )
        yield GaugeMetricFamily(
            "atalaia_store_writable", "1 while the store takes writes.", int(self._store.trouble is None)
        )
        yield GaugeMetricFamily("atalaia_live_streams", "Browsers that follow live events.", self._live.count)
        runs = CounterMetricFamily("atalaia_loop_runs", "Rounds of a loop.", labels=["loop"])
        errors = CounterMetricFamily("atalaia_loop_errors", "Rounds of a loop that failed.", labels=["loop"])
        for name, state in self._supervisor.states.items():
            runs.add_metric([name], state.runs)
            errors.add_metric([name], state.errors)
        yield runs
        yield errors
        yield from ProcessCollector(registry=None).collect()
