"""What an integration may ask of the signals that run a task of its own."""

from urllib.parse import quote

from atalaia.core.clock import from_ms
from atalaia.core.errors import Conflict, NotFound, TooManyRequests
from atalaia.core.permissions import Principal
from atalaia.sdk.signals import SignalStanding
from atalaia.sdk.transaction import Tx
from atalaia.signals.queries import definitions, locks
from atalaia.signals.queries.locks import Found
from atalaia.signals.service import SignalsService
from atalaia.signals.service.book import Actor
from atalaia.store.store import Store


class Asking:
    def __init__(self, store: Store, service: SignalsService) -> None:
        self._store = store
        self._service = service

    async def of_task(self, task: str) -> list[SignalStanding]:
        """By name."""
        return await self._store.read(lambda tx: _of_task(tx, task))

    async def look_now(self, task: str, *, by: Principal) -> bool:
        """Whether one of its signals has begun a run."""
        for each in await self.of_task(task):
            try:
                await self._service.run_now(each.name, Actor(by))
            except (Conflict, TooManyRequests, NotFound):
                continue
            return True
        return False


def _of_task(tx: Tx, task: str) -> list[SignalStanding]:
    rows = [row for row in definitions.all_of_them(tx) if row.task == task]
    found = locks.look(tx, [row.name for row in rows]) if rows else {}
    return [_standing(found[row.name]) for row in rows if row.name in found]


def _standing(found: Found) -> SignalStanding:
    lock = found.lock
    return SignalStanding(
        name=found.name,
        href=f"/signals/{quote(found.name, safe='')}",
        is_paused=found.is_paused,
        is_running=lock.run_id is not None,
        last_started_at=from_ms(lock.started_ms) if lock.started_ms else None,
    )
