"""API keys that the environment brings, under the names that former systems had for them.

At each start: a value that is new becomes a key, and the one that the environment brought before is revoked; without a value all
of that name are. Keys that people made are left alone.
"""

from datetime import datetime
from typing import Final

import structlog

from atalaia.access.model import ApiKey
from atalaia.access.service.keys import create_key, list_keys, revoke_key
from atalaia.core.clock import Clock
from atalaia.core.errors import Conflict
from atalaia.core.permissions import SYSTEM, Permission, Principal
from atalaia.core.redaction import Secret
from atalaia.core.settings import Settings
from atalaia.sdk.contribution import Contribution
from atalaia.sdk.transaction import Tx
from atalaia.store.store import Store

# Setting -> the key's name and scope.
KEPT: Final = {
    "hub.admin_key": ("ADMIN_KEY", "admin"),
    "hub.monitor_key": ("MONITOR_API_KEY", "signal:monitor-execution"),
    "hub.collector_key": ("COLLECTOR_API_KEY", "ingest"),
}
BRINGER: Final = Principal(id="environment", kind=SYSTEM.kind, name="environment", permissions=frozenset(Permission))
_BATCH: Final = 200

log = structlog.get_logger()


def kept_keys(store: Store, settings: Settings, *, clock: Clock) -> Contribution:
    async def start() -> None:
        for setting, (name, scope) in KEPT.items():
            value: Secret | None = settings.get(setting)
            await store.write(lambda tx, n=name, s=scope, v=value: keep_key(tx, n, scope=s, value=v, now=clock.now()))  # type: ignore[misc]  # bound now

    return Contribution(name="kept-keys", start=start)


def keep_key(tx: Tx, name: str, *, scope: str, value: Secret | None, now: datetime) -> None:
    former = [key for key in _brought(tx, name) if key.revoked_at is None]
    if value is not None:
        try:
            made = create_key(tx, BRINGER, name=name, scopes=[scope], value=value.reveal(), now=now)
        except Conflict:  # as at the last start; or somebody has revoked it, and meant it
            return
        if made.is_weak:
            log.warning("kept_key_is_short", key=name, advice="Replace it by one of 32 characters or more.")
    for key in former:
        revoke_key(tx, BRINGER, key.id, now=now)


def _brought(tx: Tx, name: str) -> list[ApiKey]:
    found: list[ApiKey] = []
    while True:
        batch = list_keys(tx, limit=_BATCH, after=found[-1].id if found else None)
        found += batch
        if len(batch) < _BATCH:
            return [key for key in found if key.name == name and key.created_by == BRINGER.name]
