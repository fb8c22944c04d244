"""What agents report of their pings: kept, counted, and written as samples at the time of measuring."""

from collections.abc import Sequence

from atalaia.agents.events import RecordsReceived
from atalaia.agents.model.wire import Ping
from atalaia.metrics.service.metrics import MetricsService
from atalaia.pings.model import OK, SourceKey, error_type
from atalaia.pings.queries import reports as queries
from atalaia.pings.queries.reports import ReportRow
from atalaia.pings.service.sources import Sources
from atalaia.sdk.transaction import Tx

RTT = "network_latency_rtt_seconds"
LAST_RTT = "network_latency_last_rtt_seconds"
TOPIC = "pings"

Sample = tuple[str, dict[str, str], int, float]


class Reporting:
    def __init__(self, metrics: MetricsService, sources: Sources) -> None:
        self._metrics = metrics
        self._sources = sources

    def on_records(self, tx: Tx, event: RecordsReceived) -> None:
        """Handler of RecordsReceived, in the transaction of the batch."""
        if not event.pings:
            return
        rows: list[ReportRow] = []
        samples: list[Sample] = []
        for ping in event.pings:
            source = printable(
                ping.source.location, ping.source.datacenter, ping.source.country, agent=event.agent_name
            )
            target = _shown(ping.target) or "hub"
            is_ok = ping.outcome == OK
            outcome = OK if is_ok else error_type(ping.outcome)
            rtt_ms = ping.rtt_ms if is_ok else None
            source_id = self._sources.id_of(tx, source)
            rows.append(ReportRow(source_id, target, ping.at, outcome, rtt_ms, ping.connect_ms))
            if rtt_ms is not None:
                samples += _samples(source, target, ping.at, rtt_ms / 1000)
        queries.add(tx, rows)
        self._metrics.write_samples(tx, samples)
        tx.after_commit(lambda: self._count(event.pings, event.agent_name))
        tx.publish(TOPIC)

    def _count(self, pings: Sequence[Ping], agent_name: str) -> None:
        for ping in pings:
            source = printable(ping.source.location, ping.source.datacenter, ping.source.country, agent=agent_name)
            is_ok = ping.outcome == OK
            outcome = OK if is_ok else error_type(ping.outcome)
            rtt_s = ping.rtt_ms / 1000 if is_ok and ping.rtt_ms is not None else None
            self._metrics.own.ping_reported(
                source._asdict(), _shown(ping.target) or "hub", outcome=outcome, rtt_s=rtt_s
            )


def _samples(source: SourceKey, target: str, at_ms: int, rtt_s: float) -> list[Sample]:
    labels = {
        "source_location": source.location,
        "source_datacenter": source.datacenter,
        "source_country": source.country,
        "target_location": target,
    }
    return [(RTT, labels, at_ms, rtt_s), (LAST_RTT, labels, at_ms, rtt_s)]


def printable(location: str, datacenter: str, country: str, *, agent: str) -> SourceKey:
    """What an agent measured is kept, whatever its source is called: without a name it goes by the agent's."""
    return SourceKey(_shown(location) or agent, _shown(datacenter), _shown(country))


def _shown(text: str) -> str:
    return text if text.isprintable() else "".join(char if char.isprintable() else " " for char in text).strip()
