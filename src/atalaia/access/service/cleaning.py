"""What can't count any more is removed, so that the tables stay small."""

from datetime import datetime, timedelta

from atalaia.access.attempts import PATIENCE
from atalaia.access.cookies import DEVICE_TTL_S
from atalaia.access.queries import ways_in
from atalaia.access.sessions import SessionLimits
from atalaia.sdk.transaction import Tx

_LONGEST_MEMORY_S = max(patience.forgets_after_s for patience in PATIENCE.values())


def clean_up(tx: Tx, *, limits: SessionLimits, now: datetime) -> None:
    ways_in.end_old_sessions(
        tx,
        seen_before=now - timedelta(seconds=limits.idle_s),
        created_before=now - timedelta(seconds=limits.absolute_s),
    )
    ways_in.clean_up(
        tx,
        now=now,
        tallies_before=now - timedelta(seconds=_LONGEST_MEMORY_S),
        devices_before=now - timedelta(seconds=DEVICE_TTL_S),
    )
