"""Runs that the clock begins: at most one for each slot, by the leader.

The slot and the start of its run are one transaction, so that a crash in between makes neither or both. Slots that passed
while nobody led run once together (`runs_missed`), or not at all.
"""

from datetime import timedelta

import structlog

from atalaia.core.clock import Clock
from atalaia.core.ids import new_id
from atalaia.sdk.transaction import Tx
from atalaia.signals.model.cron import next_after
from atalaia.signals.queries import definitions as queries
from atalaia.signals.service.counting import TOPIC
from atalaia.signals.service.starting import Starting, Wish
from atalaia.signals.service.tasks import Started
from atalaia.store.store import Store

LATE_S = 60.0  # a slot that is later than this was missed
SOURCE = "schedule"

log = structlog.get_logger()


class Scheduling:
    def __init__(self, store: Store, starting: Starting, *, clock: Clock) -> None:
        self._store = store
        self._starting = starting
        self._clock = clock

    async def round(self) -> None:
        """Begin what is due; the leader's loop."""
        now = self._clock.now()
        for name in await self._store.read(lambda tx: queries.due(tx, now)):
            try:
                await self._store.write(lambda tx, name=name: self._run_slot(tx, name))  # type: ignore[misc]  # bound now
            except Exception:  # one that can't begin must not keep the others from their slots
                log.exception("slot_not_run", signal=name)

    def _run_slot(self, tx: Tx, name: str) -> None:
        now = self._clock.now()
        row = queries.take_due(tx, name, now)
        if row is None:  # another hub thinks that it leads, and was quicker
            return
        slot = row.next_at or now
        is_missed = now - slot > timedelta(seconds=LATE_S)
        is_run = (row.runs_missed or not is_missed) and self._begins(tx, row.name)
        upcoming = next_after(row.cron or "", row.timezone, now)
        queries.slot_passed(tx, row.name, ran_at=slot if is_run else None, next_at=upcoming)
        tx.publish(TOPIC, row.name)

    def _begins(self, tx: Tx, name: str) -> bool:
        """Whether a run began: one that is under way, or began just now, is as good as this slot's."""
        wish = Wish(name, new_id(), SOURCE)
        return isinstance(self._starting.start_many(tx, [wish])[0], Started)
