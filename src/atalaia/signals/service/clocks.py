"""Whose clock decides about locks and throttles: the database's, where several hubs share it; else the hub's own."""

from collections.abc import Callable

from atalaia.core.clock import Clock, to_ms
from atalaia.sdk.transaction import Tx
from atalaia.signals.queries import locks
from atalaia.store.store import Store

NowMs = Callable[[Tx], int]


def hub_clock(clock: Clock) -> NowMs:
    return lambda _tx: to_ms(clock.now())


def deciding_clock(store: Store, clock: Clock) -> NowMs:
    """Hubs whose clocks differ would else cut each other's intervals and leases short."""
    return locks.database_ms if store.dialect == "postgresql" else hub_clock(clock)
