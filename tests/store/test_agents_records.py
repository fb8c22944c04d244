"""Records of agents: each counts once, and is told upward in the transaction that keeps it."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from atalaia.agents.events import RecordsReceived
from atalaia.agents.service import AgentsService
from atalaia.core.clock import to_ms
from atalaia.core.errors import InvalidField
from atalaia.sdk.transaction import Tx
from atalaia.store.store import Store
from tests.conftest import MakeStore
from tests.fakes import FakeClock
from tests.store.agents_kit import batch, known_agent, make_agents, result


@pytest.fixture
def made(make_store: MakeStore, clock: FakeClock) -> tuple[Store, AgentsService]:
    return make_agents(make_store, clock)


def _listen(store: Store) -> list[RecordsReceived]:
    told: list[RecordsReceived] = []

    def keep(tx: Tx, event: RecordsReceived) -> None:
        tx.after_commit(lambda: told.append(event))

    store.on(RecordsReceived, keep)
    return told


async def _send(agents: AgentsService, records: list[dict[str, Any]], **more: Any) -> Any:
    return await agents.take(await known_agent(agents), batch(records, **more), address="203.0.113.9")


def test_a_batch_sent_again_counts_once(made: tuple[Store, AgentsService]) -> None:
    store, agents = made
    told = _listen(store)

    async def run() -> None:
        first = await _send(agents, [result(n) for n in range(1, 6)])
        again = await _send(agents, [result(n) for n in range(1, 6)])
        more = await _send(agents, [result(n) for n in range(4, 8)])
        assert (first.accepted, first.duplicates, first.last_seq) == (5, 0, 5)
        assert (again.accepted, again.duplicates, again.last_seq) == (0, 5, 5)
        assert (more.accepted, more.duplicates, more.last_seq) == (2, 2, 7)

    asyncio.run(run())
    assert [record.seq for event in told for record in event.results] == [1, 2, 3, 4, 5, 6, 7]


def test_the_same_batch_many_times_at_once_counts_once(made: tuple[Store, AgentsService]) -> None:
    store, agents = made
    told = _listen(store)

    async def run() -> list[Any]:
        known = await known_agent(agents)
        same = batch([result(n) for n in range(10)])
        return await asyncio.gather(*(agents.take(known, same, address=None) for _ in range(20)))

    receipts = asyncio.run(run())
    assert sum(receipt.accepted for receipt in receipts) == 10
    assert sum(len(event.results) for event in told) == 10


def test_each_spool_counts_by_itself(made: tuple[Store, AgentsService]) -> None:
    _, agents = made

    async def run() -> list[int]:
        return [(await _send(agents, [result(1)], spool=name)).accepted for name in ("a", "b", "a")]

    assert asyncio.run(run()) == [1, 1, 0]


def test_what_a_handler_refuses_is_not_marked_as_taken(made: tuple[Store, AgentsService]) -> None:
    store, agents = made
    refusing = [True]

    def refuse(_tx: Tx, _event: RecordsReceived) -> None:
        if refusing[0]:
            raise ValueError("not now")

    store.on(RecordsReceived, refuse)

    async def run() -> int:
        with pytest.raises(ValueError, match="not now"):
            await _send(agents, [result(1)])
        refusing[0] = False
        return int((await _send(agents, [result(1)])).accepted)

    assert asyncio.run(run()) == 1


def _stumble(store: Store, *probes: str) -> list[int]:
    """A handler that fails unexpectedly on results of these probes, after it has written; the seqs that it took."""
    taken: list[int] = []

    def handle(tx: Tx, event: RecordsReceived) -> None:
        seqs = [record.seq for record in event.results]
        tx.after_commit(lambda: taken.extend(seqs))
        if any(record.probe in probes for record in event.results):
            raise KeyError("unforeseen")

    store.on(RecordsReceived, handle)
    return taken


def test_a_record_that_a_handler_fails_on_is_left_out_and_the_others_are_taken(
    made: tuple[Store, AgentsService],
) -> None:
    store, agents = made
    taken = _stumble(store, "bad")
    records = [result(n, probe="bad" if n in {7, 40} else "p1") for n in range(1, 41)]

    async def run() -> None:
        first = await _send(agents, records)
        assert (first.accepted, first.duplicates, first.last_seq) == (38, 0, 40)
        assert [one.seq for one in first.rejected] == [7, 40]
        assert "unforeseen" not in first.rejected[0].why
        again = await _send(agents, records)
        assert (again.accepted, again.duplicates, again.rejected) == (0, 40, [])
        more = await _send(agents, [result(41)])
        assert (more.accepted, more.rejected) == (1, [])

    asyncio.run(run())
    (family,) = agents.metrics.collect()
    assert [sample.value for sample in family.samples if sample.name.endswith("_total")] == [2]
    assert taken == [n for n in range(1, 42) if n not in {7, 40}]


@pytest.mark.parametrize("probes", [("bad",), ("p1",)])
def test_where_nothing_can_be_taken_it_is_not_the_records_fault(
    made: tuple[Store, AgentsService], probes: tuple[str, ...]
) -> None:
    store, agents = made
    taken = _stumble(store, *probes)
    records = [result(1, probe="bad")] if probes == ("bad",) else [result(n) for n in range(1, 40)]

    async def run() -> None:
        for _ in range(2):
            with pytest.raises(KeyError, match="unforeseen"):
                await _send(agents, records)

    asyncio.run(run())
    assert taken == []


def test_what_fails_once_is_taken_whole(made: tuple[Store, AgentsService]) -> None:
    store, agents = made
    told, failing = _listen(store), [True]

    def fail_once(_tx: Tx, _event: RecordsReceived) -> None:
        if failing:
            failing.clear()
            raise KeyError("for a moment")

    store.on(RecordsReceived, fail_once)
    receipt = asyncio.run(_send(agents, [result(n) for n in range(1, 6)]))
    assert (receipt.accepted, receipt.rejected) == (5, [])
    assert [record.seq for event in told for record in event.results] == [1, 2, 3, 4, 5]


def test_records_out_of_order_are_refused_by_name(made: tuple[Store, AgentsService]) -> None:
    _, agents = made

    async def run() -> None:
        with pytest.raises(InvalidField) as caught:
            await _send(agents, [result(1), result(3), result(2)])
        assert caught.value.field == "records[2].seq"

    asyncio.run(run())


def test_times_of_a_clock_hours_off_are_kept_and_flagged(made: tuple[Store, AgentsService], clock: FakeClock) -> None:
    store, agents = made
    told = _listen(store)
    wrong = to_ms(clock.now() - timedelta(hours=3))

    async def run() -> None:
        receipt = await _send(agents, [result(1, at=wrong - 500)], sent_at=wrong)
        assert receipt.accepted == 1
        agent = await agents.get("sp-1")
        assert agent.seen.is_clock_off
        assert agent.seen.clock_skew_ms == 3 * 3_600_000
        assert agent.seen.lag_ms == 500

    asyncio.run(run())
    assert told[0].is_clock_off
    assert told[0].results[0].at == wrong - 500


def test_an_empty_batch_brings_the_status(made: tuple[Store, AgentsService]) -> None:
    _, agents = made

    async def run() -> None:
        receipt = await _send(agents, [], status={"spool_records": 7, "dropped_total": 2, "line": "down"})
        assert (receipt.accepted, receipt.last_seq) == (0, None)
        status = (await agents.get("sp-1")).seen.status
        assert (status.spool_records, status.dropped_total, status.line) == (7, 2, "down")

    asyncio.run(run())
