"""What watch needs of the slices below it, put into the forms of `ports`."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from atalaia.agents.model.agents import Agent, AgentState
from atalaia.agents.model.wire import Probe
from atalaia.agents.model.wire import Result as WireResult
from atalaia.agents.service import AgentsService
from atalaia.core.clock import Clock, to_ms
from atalaia.metrics.model import RangeQuery
from atalaia.metrics.selectors import parse_selectors
from atalaia.metrics.service.metrics import MetricsService
from atalaia.sdk.transaction import Tx
from atalaia.watch.ports import AgentRef, ProbeOrder
from atalaia.watch.service.watch import Percentiles

OWNER = "watch"
_AGGREGATIONS = ("p50", "p95", "p99")
_SECOND_MS = 1000


class AgentsFleet:
    """See ports.Fleet."""

    def __init__(self, agents: AgentsService, *, clock: Clock) -> None:
        self._agents = agents
        self._clock = clock

    def assign(self, tx: Tx, order: ProbeOrder, agent_ids: Sequence[str]) -> None:
        self._agents.put_probe(tx, owner=OWNER, probe=_probe(order), agent_ids=agent_ids)

    def withdraw(self, tx: Tx, probe_id: str) -> None:
        self._agents.drop_probe(tx, owner=OWNER, probe_id=probe_id)

    def find(self, tx: Tx, name_or_id: str) -> AgentRef | None:
        agent = self._agents.find_agent(tx, name_or_id)
        return None if agent is None or agent.retired_at is not None else self._ref(agent)

    def pick(self, tx: Tx, *, but_not: Iterable[str] = ()) -> str | None:
        return self._agents.pick_agent(tx, but_not=but_not)

    async def all(self) -> list[AgentRef]:
        found = await self._agents.brief()
        return [AgentRef(id=agent.id, name=agent.name, is_silent=agent.is_silent) for agent in found]

    async def try_now(self, order: ProbeOrder, *, agent_id: str, timeout_s: float) -> WireResult:
        return await self._agents.try_probe(agent_id, _probe(order), timeout_s=timeout_s)

    def _ref(self, agent: Agent) -> AgentRef:
        is_silent = agent.state(self._clock.now()) is AgentState.SILENT
        return AgentRef(id=agent.id, name=agent.name, is_silent=is_silent)


def _probe(order: ProbeOrder) -> Probe:
    return Probe(
        id=order.id,
        kind=order.kind,
        target=order.target,
        interval_s=order.interval_s,
        timeout_s=order.timeout_s,
        options=order.options,
        secrets=order.secrets,
        labels=order.labels,
    )


class MetricsLatency:
    """Percentiles of `probe_duration_seconds`; of several agents the slowest one's."""

    def __init__(self, metrics: MetricsService) -> None:
        self._metrics = metrics

    async def __call__(self, check_id: str, since: datetime, until: datetime) -> Percentiles:
        found = [await self._worst(check_id, since, until, name) for name in _AGGREGATIONS]
        return Percentiles(*found)

    async def _worst(self, check_id: str, since: datetime, until: datetime, aggregation: str) -> float | None:
        from_ms, to_ms_ = to_ms(since), to_ms(until) + 1
        question = RangeQuery(
            metric="probe_duration_seconds",
            selectors=tuple(parse_selectors(f"check={check_id},phase=total")),
            from_ms=from_ms,
            to_ms=to_ms_,
            step_ms=to_ms_ - from_ms,
            aggregation=aggregation,  # type: ignore[arg-type] # one of _AGGREGATIONS
        )
        values = [series.values[-1] for series in await self._metrics.query(question) if series.values]
        return round(max(values) * _SECOND_MS, 3) if values else None
