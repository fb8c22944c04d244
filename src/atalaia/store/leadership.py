"""Who leads: of several hubs on one database one runs schedules, deciders and outboxes.

The lease is renewed every RENEW_S and ends TTL_S after the last renewal, so that a dead leader is replaced within 5 s.
A hub that can't renew stops leading by its own monotonic clock before the lease ends.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import select

from atalaia.core.clock import Clock, from_ms
from atalaia.sdk.transaction import Tx
from atalaia.store.tables import leadership

TTL_S = 4.0
RENEW_S = 1.0
MARGIN_S = 0.5
NAME = "hub"


def database_now(tx: Tx) -> datetime:
    """PostgreSQL's clock. By their own, hubs whose clocks differ by more than the lease would take it from each other."""
    return from_ms(int(tx.raw("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint")[0][0]))


class Leadership:
    """The part of this hub in it. `is_leader` is cheap and safe to ask from any thread.

    `now`: the clock that all hubs share, the database's; without it this hub's own.
    """

    def __init__(self, *, holder: str, clock: Clock, now: Callable[[Tx], datetime] | None = None) -> None:
        self._holder = holder
        self._clock = clock
        self._now = now or (lambda _tx: clock.now())
        self._until = float("-inf")
        self.fence = 0

    @property
    def is_leader(self) -> bool:
        return self._clock.monotonic() < self._until

    def renew(self, tx: Tx) -> bool:
        """Take the lease or keep it; whether this hub leads once the transaction has committed."""
        asked_at = self._clock.monotonic()
        now = self._now(tx)
        fresh = {"name": NAME, "holder": self._holder, "fence": 1, "expires_at": now + timedelta(seconds=TTL_S)}
        tx.upsert(leadership, [fresh], key=["name"])
        row = tx.one(select(leadership).where(leadership.c.name == NAME).with_for_update())
        if row is None or (row.holder != self._holder and row.expires_at > now):
            tx.after_commit(self.resign)
            return False
        fence = row.fence if row.holder == self._holder else row.fence + 1
        tx.execute(
            leadership.update()
            .where(leadership.c.name == NAME)
            .values(holder=self._holder, fence=fence, expires_at=now + timedelta(seconds=TTL_S))
        )
        tx.after_commit(lambda: self._lead(fence, asked_at + TTL_S - MARGIN_S))
        return True

    def release(self, tx: Tx) -> None:
        """Give the lease back, so that another need not wait for its end."""
        self.resign()
        mine = (leadership.c.name == NAME) & (leadership.c.holder == self._holder)
        tx.execute(leadership.update().where(mine).values(expires_at=self._now(tx)))

    def resign(self) -> None:
        self._until = float("-inf")

    def _lead(self, fence: int, until: float) -> None:
        self.fence = fence
        self._until = until
