"""Records of agents to observations and samples. A plain part of the unit of work that took the batch in.

Samples that are written, each with the labels `check` (id), `check_name` and `agent` (name):

    probe_up                            1 or 0
    probe_duration_seconds              with `phase`: total, and what the probe tells apart (dns, connect, tls, …)
    probe_tls_days_left                 days

and what database, host and prometheus probes read (`database_available` among it), under its own name. What is counted
by kind of database over all checks is in service.databases.
"""

import re
from collections.abc import Iterable, Iterator, Mapping

from atalaia.agents.events import RecordsReceived
from atalaia.agents.model.wire import Result as WireResult
from atalaia.agents.model.wire import Samples as WireSamples
from atalaia.core.clock import to_ms
from atalaia.sdk.transaction import Tx
from atalaia.watch.model.observations import Result
from atalaia.watch.model.values import Watched
from atalaia.watch.ports import Sample, WriteSamples
from atalaia.watch.queries import states
from atalaia.watch.service.databases import DatabaseMeter, database_results, meter_databases
from atalaia.watch.service.deciding import Decider, Seen

REASON_MAX = 500
_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]{0,199}")
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]{0,99}")
_SECOND_MS = 1000.0


class Results:
    def __init__(self, decider: Decider, write_samples: WriteSamples, meter: DatabaseMeter) -> None:
        self._decider = decider
        self._write_samples = write_samples
        self._meter = meter

    def take(self, tx: Tx, batch: RecordsReceived) -> None:
        """All that a batch says of checks. Probes of others, and of checks that are gone, are passed over."""
        ids = {result.probe for result in batch.results} | {samples.probe for samples in batch.samples}
        if not ids:
            return
        rows = states.lock(tx, ids)
        watched = self._decider.watched(tx, rows.values())
        shift_ms = round(batch.clock_skew_ms) if batch.is_clock_off else 0
        seen = list(_observations(batch, watched, shift_ms))
        self._decider.take_locked(tx, rows, watched, seen, now_ms=to_ms(batch.received_at))
        self._write_samples(tx, _samples(batch, watched))
        databases = database_results(batch, watched)
        if databases:
            tx.after_commit(lambda: meter_databases(self._meter, databases))


def _observations(batch: RecordsReceived, watched: Mapping[str, Watched], shift_ms: int) -> Iterator[Seen]:
    for result in batch.results:
        check = watched.get(result.probe)
        # With thresholds the samples decide; that they could be read is not yet good news.
        if check is not None and not (check.thresholds and result.ok):
            yield Seen(result.probe, _of_result(result, batch.agent_id, shift_ms), result.at)
    for samples in batch.samples:
        check = watched.get(samples.probe)
        if check is not None and check.thresholds:
            yield Seen(samples.probe, _of_samples(samples, check, batch.agent_id, shift_ms), samples.at)


def _of_result(result: WireResult, agent_id: str, shift_ms: int) -> Result:
    return Result(
        place=agent_id,
        at_ms=result.at + shift_ms,
        is_ok=result.ok,
        is_degraded=result.degraded,
        is_line_down=result.line == "down",
        took_ms=result.ms,
        reason=None if result.ok and not result.degraded else _reason(result),
    )


def _reason(result: WireResult) -> str:
    code = result.error or result.outcome
    return (f"{code}: {result.message}" if result.message else code)[:REASON_MAX]


def _of_samples(samples: WireSamples, check: Watched, agent_id: str, shift_ms: int) -> Result:
    broken = [
        (limit, f"{name} = {value:g}")
        for name, labels, value in samples.samples
        for limit in check.thresholds
        if limit.metric == name and limit.labels.items() <= labels.items() and limit.is_broken_by(value)
    ]
    down = [words for limit, words in broken if limit.state == "down"]
    return Result(
        place=agent_id,
        at_ms=samples.at + shift_ms,
        is_ok=not down,
        is_degraded=bool(broken) and not down,
        reason=", ".join(down or [words for _, words in broken])[:REASON_MAX] or None,
    )


def _samples(batch: RecordsReceived, watched: Mapping[str, Watched]) -> list[Sample]:
    found: list[Sample] = []
    for result in batch.results:
        check = watched.get(result.probe)
        if check is not None:
            found += _of_probe(result, _labels(check, batch))
    for samples in batch.samples:
        check = watched.get(samples.probe)
        if check is not None:
            found += _read_by_probe(samples, _labels(check, batch))
    return found


def _labels(check: Watched, batch: RecordsReceived) -> dict[str, str]:
    return {"check": check.id, "check_name": check.name, "agent": batch.agent_name}


def _of_probe(result: WireResult, labels: dict[str, str]) -> Iterable[Sample]:
    yield "probe_up", labels, result.at, float(result.ok)
    if result.ms is not None:
        yield "probe_duration_seconds", labels | {"phase": "total"}, result.at, result.ms / _SECOND_MS
    for phase, spent_ms in (result.phases or {}).items():
        if spent_ms is not None and _LABEL.fullmatch(phase):
            yield "probe_duration_seconds", labels | {"phase": phase}, result.at, spent_ms / _SECOND_MS
    days_left = (result.data or {}).get("tls_days_left")
    if isinstance(days_left, int | float):
        yield "probe_tls_days_left", labels, result.at, float(days_left)


def _read_by_probe(samples: WireSamples, labels: dict[str, str]) -> Iterable[Sample]:
    """One that no series can have is left out: it must not take the whole batch with it."""
    common = {name: value for name, value in samples.labels.items() if _LABEL.fullmatch(name)} | labels
    for metric, own, value in samples.samples:
        if _NAME.fullmatch(metric) and all(_LABEL.fullmatch(name) for name in own):
            yield metric, own | common, samples.at, value
