"""Records in: each counted once, told upward in the transaction that keeps them.

1. A batch is one payload of a merged unit, so that many batches share a commit.
2. What is not above the spool's high-water mark came before: it is counted as a duplicate and passed over.
3. Handlers of RecordsReceived write what the records mean; a failure there leaves the mark where it was.
4. The agent is answered after the commit, and only then deletes.
5. A record that a handler fails on unexpectedly is left out, and told in the answer: see service.isolating.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

import msgspec

from atalaia.agents.events import RecordsReceived
from atalaia.agents.model.agents import Known, Seen
from atalaia.agents.model.wire import Batch, Ping, Receipt, Record, Result, Samples
from atalaia.agents.queries import registry
from atalaia.agents.queries import work as work_queries
from atalaia.agents.service.isolating import find_faults, log_faults
from atalaia.agents.service.seen import LastSeen
from atalaia.agents.service.tries import TRY_TOPIC
from atalaia.core.clock import Clock, to_ms
from atalaia.core.errors import AtalaiaError, InvalidField
from atalaia.core.translations import N_
from atalaia.sdk.transaction import Tx
from atalaia.store.store import Store
from atalaia.store.work import Merged


class Incoming(msgspec.Struct, frozen=True):
    agent: Known
    batch: Batch
    received_at: datetime
    address: str | None = None


class Intake:
    def __init__(self, store: Store, *, seen: LastSeen, clock: Clock) -> None:
        self._store = store
        self._seen = seen
        self._clock = clock
        self._merged = Merged("agents.records", self._take_all)
        self.rejected: Counter[str] = Counter()  # records that were left out since the start, by the agent's name

    async def take(self, agent: Known, batch: Batch, *, address: str | None) -> Receipt:
        """Keep what is new in the batch; comes back after the commit.

        Raises:
            InvalidField: the records are not in order.
        """
        check_order(batch.records)
        incoming = Incoming(agent, batch, self._clock.now(), address)
        try:
            receipt = await self._store.merge(self._merged, incoming)
        except AtalaiaError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a handler failed on
            receipt = await self._take_rest(incoming, error)
        return msgspec.structs.replace(receipt, server_time=to_ms(self._clock.now()))

    async def _take_rest(self, incoming: Incoming, error: Exception) -> Receipt:
        """The batch without the records that it failed on. Raises `error` where nothing of it can be taken."""

        def trial(tx: Tx, records: Sequence[Record]) -> object:
            batch = msgspec.structs.replace(incoming.batch, records=list(records))
            return self._take(tx, msgspec.structs.replace(incoming, batch=batch))

        def take(tx: Tx) -> Receipt:
            receipt = self._take(tx, incoming, without=frozenset(fault.record.seq for fault in faults))
            if faults and not receipt.accepted:  # nothing shows that it is the record, and not the hub
                raise error
            return receipt

        faults = await find_faults(self._store, trial, incoming.batch.records)
        receipt = await self._store.write(take)
        self.rejected[incoming.agent.name] += len(faults)
        log_faults(incoming.agent.name, faults)
        return msgspec.structs.replace(receipt, rejected=[fault.told for fault in faults])

    def _take_all(self, tx: Tx, all_incoming: Sequence[Incoming]) -> list[Receipt]:
        receipts: list[Receipt | None] = [None] * len(all_incoming)
        # In one order on every hub, so that two of them can't wait for each other.
        order = sorted(
            range(len(all_incoming)), key=lambda i: (all_incoming[i].agent.id, all_incoming[i].batch.spool.id, i)
        )
        for index in order:
            receipts[index] = self._take(tx, all_incoming[index])
        return [receipt for receipt in receipts if receipt is not None]

    def _take(self, tx: Tx, incoming: Incoming, *, without: frozenset[int] = frozenset()) -> Receipt:
        agent, batch, now = incoming.agent, incoming.batch, incoming.received_at
        records = batch.records
        last_seq = batch.spool.last_seq
        fresh: Sequence[Record] = ()
        duplicates = 0
        if records:
            mark = registry.mark(tx, agent.id, batch.spool.id)
            fresh = records if records[0].seq > mark else [record for record in records if record.seq > mark]
            duplicates = len(records) - len(fresh)
            last_seq = max(mark, records[-1].seq)
            if fresh:
                registry.set_mark(tx, agent.id, batch.spool.id, last_seq=last_seq, now=now)
                fresh = [record for record in fresh if record.seq not in without] if without else fresh
                _tell(tx, incoming, fresh)
        registry.see(tx, agent.id, at=now, seen=_seen(incoming))
        tx.after_commit(lambda: self._seen.note_written(agent.id, now))
        return Receipt(accepted=len(fresh), duplicates=duplicates, last_seq=last_seq)


def check_order(records: Sequence[Record]) -> None:
    last = -1
    for number, record in enumerate(records):
        if record.seq <= last:
            raise InvalidField(f"records[{number}].seq", N_("sequence numbers must grow"))
        last = record.seq


def _seen(incoming: Incoming) -> Seen:
    batch = incoming.batch
    oldest = min((record.at for record in batch.records), default=None)
    return Seen(
        status=batch.status,
        clock_skew_ms=_skew_ms(incoming),
        lag_ms=None if oldest is None else max(0, batch.sent_at - oldest),
        started_at=batch.agent.started_at,
        address=incoming.address,
    )


def _skew_ms(incoming: Incoming) -> float:
    return float(to_ms(incoming.received_at) - incoming.batch.sent_at)


def _tell(tx: Tx, incoming: Incoming, fresh: Sequence[Record]) -> None:
    results: list[Result] = []
    pings: list[Ping] = []
    samples: list[Samples] = []
    for record in fresh:
        if isinstance(record, Result):
            if record.try_id is None:
                results.append(record)
            else:
                _answer_try(tx, incoming.agent.id, record)
        elif isinstance(record, Ping):
            pings.append(record)
        else:
            samples.append(record)
    if results or pings or samples:
        tx.emit(
            RecordsReceived(
                agent_id=incoming.agent.id,
                agent_name=incoming.agent.name,
                results=results,
                pings=pings,
                samples=samples,
                received_at=incoming.received_at,
                clock_skew_ms=_skew_ms(incoming),
            )
        )


def _answer_try(tx: Tx, agent_id: str, result: Result) -> None:
    try_id = result.try_id or ""
    if work_queries.set_try_result(tx, try_id, agent_id=agent_id, result=result):
        tx.publish(TRY_TOPIC, try_id)
