"""The slice `watch` on a real store, with stand-ins for the slices below it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from atalaia.agents.events import RecordsReceived
from atalaia.agents.model.wire import Result as WireResult
from atalaia.agents.model.wire import Samples as WireSamples
from atalaia.core.clock import to_ms
from atalaia.core.permissions import SYSTEM, Principal
from atalaia.metrics.own import OwnMetrics
from atalaia.notify.model.notice import IncidentNotice, Told
from atalaia.sdk.transaction import Tx
from atalaia.store.encryption import Sealer
from atalaia.store.store import Store
from atalaia.watch.model.checks import CheckSpec
from atalaia.watch.model.values import Check, Incident, IncidentFilter
from atalaia.watch.ports import AgentRef, ProbeOrder, Sample
from atalaia.watch.queries import incidents as incident_queries
from atalaia.watch.service.checks import CheckBook
from atalaia.watch.service.deciding import Decider
from atalaia.watch.service.fleet import FleetWatch
from atalaia.watch.service.heartbeats import Heartbeats
from atalaia.watch.service.incidents import Incidents
from atalaia.watch.service.results import Results
from atalaia.watch.service.watch import Actor, Percentiles, WatchService
from tests.fakes import FakeClock

MIGRATIONS = Path(__file__).parents[2] / "src" / "atalaia" / "watch" / "migrations"
ACTOR = Actor(SYSTEM, "127.0.0.1")


@dataclass
class FakeFleet:
    """Agents a, b and c, called alpha, beta and gamma."""

    orders: dict[str, tuple[ProbeOrder, tuple[str, ...]]] = field(default_factory=dict)
    heard: list[str] = field(default_factory=lambda: ["a", "b", "c"])
    tried: list[tuple[str, ProbeOrder]] = field(default_factory=list)
    names: ClassVar = {"a": "alpha", "b": "beta", "c": "gamma"}

    def assign(self, _tx: Tx, order: ProbeOrder, agent_ids: Sequence[str]) -> None:
        self.orders[order.id] = (order, tuple(agent_ids))

    def withdraw(self, _tx: Tx, probe_id: str) -> None:
        self.orders.pop(probe_id, None)

    def find(self, _tx: Tx, name_or_id: str) -> AgentRef | None:
        found = (key for key, name in self.names.items() if name_or_id in {key, name})
        return next((AgentRef(id=key, name=self.names[key]) for key in found), None)

    def pick(self, _tx: Tx, *, but_not: Iterable[str] = ()) -> str | None:
        return next((agent for agent in self.heard if agent not in set(but_not)), None)

    async def all(self) -> list[AgentRef]:
        return [AgentRef(id=key, name=name) for key, name in self.names.items()]

    async def try_now(self, order: ProbeOrder, *, agent_id: str, timeout_s: float) -> WireResult:
        assert timeout_s > 0
        self.tried.append((agent_id, order))
        return WireResult(seq=0, probe=order.id, at=0, ok=True, outcome="ok", ms=5.0)


class House:
    """`told` are the notices, `samples` what was measured, `audited` who did what."""

    def __init__(self, store: Store, clock: FakeClock) -> None:
        self.store = store
        self.clock = clock
        self.fleet = FakeFleet()
        self.told: list[IncidentNotice] = []
        self.samples: list[Sample] = []
        self.audited: list[str] = []
        self.channels: tuple[str, ...] = ("mail",)
        incidents = Incidents(tell=self._tell)
        self.incidents = incidents
        self.decider = Decider(incidents)
        self.book = CheckBook(fleet=self.fleet, sealer=Sealer([b"k" * 32]), decider=self.decider, incidents=incidents)
        self.own = OwnMetrics()
        self.results = Results(self.decider, self._keep, self.own)
        self.fleet_watch = FleetWatch(book=self.book, decider=self.decider, incidents=incidents)
        self.heartbeats = Heartbeats(store, self.decider, write_samples=self._keep, clock=clock)
        self.service = WatchService(
            store, clock=clock, book=self.book, incidents=incidents, fleet=self.fleet, audit=self._audit,
            latency=_no_latency, public_url="http://hub.test",
        )  # fmt: skip

    def add(self, **fields: Any) -> Check:
        body = {"name": "Site", "kind": "http", "target": "http://example.test/", "failures_to_down": 1} | fields

        spec = msgspec.convert(body, CheckSpec)
        return self.store.write_now(lambda tx: self.book.add(tx, spec, by="test", now=self.clock.now()))

    def check(self, check_id: str) -> Check:
        return self.store.read_now(lambda tx: self.book.found(tx, check_id))

    def see(
        self, check: Check, *oks: bool, agent: str = "a", skew_ms: float = 0, step_s: float = 30, **more: Any
    ) -> None:
        """Results of an agent, one every `step_s`, each in a batch of its own."""
        for is_ok in oks:
            self.clock.advance(step_s)
            at = to_ms(self.clock.now()) - round(skew_ms)
            fields: dict[str, Any] = {"ok": is_ok, "outcome": "ok" if is_ok else "fail", "ms": 12.5} | more
            result = WireResult(seq=1, probe=check.id, at=at, **fields)
            self.take([result], agent=agent, skew_ms=skew_ms)

    def take(
        self,
        results: Sequence[WireResult],
        *,
        samples: Sequence[WireSamples] = (),
        agent: str = "a",
        skew_ms: float = 0,
    ) -> None:
        batch = RecordsReceived(
            agent_id=agent,
            agent_name=self.fleet.names[agent],
            results=list(results),
            pings=[],
            samples=list(samples),
            received_at=self.clock.now(),
            clock_skew_ms=skew_ms,
        )
        self.store.write_now(lambda tx: self.results.take(tx, batch))

    def silence(self, agent: str) -> None:
        at_ms = to_ms(self.clock.now())
        name = self.fleet.names[agent]
        self.fleet.heard.remove(agent)
        self.store.write_now(lambda tx: self.fleet_watch.silent(tx, agent, name=name, at_ms=at_ms))

    def open_incidents(self) -> list[Incident]:
        wanted = IncidentFilter(is_open=True)
        return self.store.read_now(lambda tx: incident_queries.page(tx, wanted=wanted, limit=100))

    def timeline(self, incident_id: str) -> list[str]:
        return [event.kind for event in self.store.read_now(lambda tx: incident_queries.events(tx, incident_id))]

    def _tell(self, _tx: Tx, notice: IncidentNotice) -> Told:
        self.told.append(notice)
        return Told(channels=self.channels)

    def _keep(self, _tx: Tx, samples: Sequence[Sample]) -> None:
        self.samples += samples

    def _audit(self, tx: Tx, principal: Principal, action: str, object: str, **more: Any) -> None:  # noqa: ARG002 - the form of Audit
        self.audited.append(action)


async def _no_latency(_check: str, _since: datetime, _until: datetime) -> Percentiles:
    return Percentiles()
