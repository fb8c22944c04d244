"""The audit log is kept for as long as is set, and what is young can't be dropped by anybody."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from atalaia.access.audit import record
from atalaia.access.model import AuditFilter
from atalaia.access.options import SETTINGS
from atalaia.access.queries import audit as queries
from atalaia.access.service import audit
from atalaia.access.service.audit import AuditService
from atalaia.access.wiring import wire
from atalaia.core.permissions import SYSTEM
from atalaia.core.settings import Settings
from atalaia.sdk.transaction import Tx
from atalaia.store.encryption import Sealer
from atalaia.store.store import Store
from tests.conftest import MakeStore
from tests.fakes import FakeClock

# The database's own clock has a say, so the present is the real one.
NOW = datetime.now(UTC)


@pytest.fixture
def store(make_store: MakeStore) -> Store:
    return make_store("access")


def note(store: Store, *days_ago: float) -> None:
    def unit(tx: Tx) -> None:
        for days in sorted(days_ago, reverse=True):
            record(tx, SYSTEM, "check.created", f"check:{days:g}", now=NOW - timedelta(days=days))

    store.write_now(unit)


def kept(store: Store) -> list[str]:
    entries = store.read_now(lambda tx: queries.page(tx, AuditFilter(), limit=1000))
    return [entry.object.removeprefix("check:") for entry in entries]


def test_entries_are_dropped_once_they_are_too_old_a_few_at_a_time(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "_DROP_BATCH", 3)
    note(store, *range(100, 110), 50, 40, 1)
    asyncio.run(AuditService(store).drop_old(before=NOW - timedelta(days=45)))
    assert kept(store) == ["1", "40"]
    asyncio.run(AuditService(store).drop_old(before=NOW - timedelta(days=45)))
    assert kept(store) == ["1", "40"]


def test_what_is_younger_than_thirty_days_stays_whoever_asks(store: Store) -> None:
    note(store, 29, 31)
    with pytest.raises(Exception, match="append-only"):
        asyncio.run(AuditService(store).drop_old(before=NOW))
    assert kept(store) == ["29", "31"]


def test_the_leaders_loop_keeps_two_years_unless_told_otherwise(store: Store) -> None:
    note(store, 735, 725)
    clock = FakeClock(NOW)
    settings = Settings(SETTINGS)
    sealer = Sealer([b"k" * 32])
    access = wire(store=store, clock=clock, settings=settings, sealer=sealer, public_url="http://hub.test")
    loop = next(loop for loop in access.contribution.loops if loop.name == "audit-cleaning")
    assert loop.leader_only

    async def once() -> None:
        await loop.run()

    asyncio.run(once())
    assert kept(store) == ["725"]
