"""What /metrics says of agents."""

from collections.abc import Iterable, Mapping

from prometheus_client.core import CounterMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector


class AgentMetrics(Collector):
    """`rejected`: of this hub since its start, by the agent's name."""

    def __init__(self, rejected: Mapping[str, int]) -> None:
        self._rejected = rejected

    def collect(self) -> Iterable[Metric]:
        found = CounterMetricFamily(
            "atalaia_agent_records_rejected", "Records of an agent that this hub could not take.", labels=["agent"]
        )
        for agent, count in sorted(self._rejected.items()):
            if count:
                found.add_metric([agent], count)
        yield found
