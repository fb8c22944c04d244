"""Reports on a real store: the host as far as they use it, and how much is kept."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, select

from atalaia.core.permissions import Principal
from atalaia.integrations.cvepro import tables
from atalaia.integrations.cvepro.manifest import SETTINGS
from atalaia.integrations.cvepro.model.reports import Report
from atalaia.integrations.cvepro.queries import reports as queries
from atalaia.sdk.integration import JobStanding, NewJob
from atalaia.store.files import StoreFiles
from atalaia.store.tables import file_parts, files
from tests.charging_house import House
from tests.conftest import MakeStore
from tests.contract.integrations.bench import values_of
from tests.fakes import FakeClock
from tests.store.cvepro_site import SLICE, SiteHost

MONTH = "2026-10"
NOW = datetime(2026, 11, 3, 12, tzinfo=UTC)
PDF = b"%PDF-1.7 brought"


class ReportHost(SiteHost):
    """With files, and jobs that are asked for and not run."""

    def __init__(self, make_store: MakeStore, clock: FakeClock, **given: Any) -> None:
        clock.advance((NOW - clock.now()).total_seconds())
        super().__init__(make_store(SLICE), clock, values_of(SETTINGS, given))
        self.files = StoreFiles("cvepro", now=clock.now)
        self.asked: list[str] = []
        self.keys: list[str | None] = []

    async def enqueue(
        self, type: str, payload_raw: str, *, by: Principal, idempotency_key: str | None = None, unique_key: str | None
    ) -> NewJob:
        assert (type, bool(by), bool(unique_key)) == ("cvepro-report", True, True)
        self.asked.append(payload_raw)
        self.keys.append(idempotency_key)
        return NewJob(f"job-{len(self.asked)}", "pending", is_new=True)

    async def job(self, id: str) -> JobStanding | None:
        return JobStanding(id, "processing", "draw", {"progress": 25})

    def furnish(self, flats: int = 6, sessions: int = 60) -> None:
        self.store.write_now(House(flats, sessions).furnish)

    async def shown(self, month: str = MONTH) -> list[Report]:
        return await self.read(lambda tx: queries.of_month(tx, month))

    async def contents(self) -> dict[tuple[str | None, str], bytes | None]:
        def unit(tx: Any) -> dict[tuple[str | None, str], bytes | None]:
            return {
                (each.flat, str(each.format)): self.files.read(tx, each.file_id)
                for each in queries.of_month(tx, MONTH)
                if each.job_id is not None
            }

        return await self.read(unit)

    async def counts(self) -> tuple[int, int, int]:
        """Reports with drafts, files, parts of files: nothing is left over where they agree."""
        return await self.read(
            lambda tx: (
                tx.value(select(func.count()).select_from(tables.reports)),
                tx.value(select(func.count()).select_from(files)),
                tx.value(select(func.count(func.distinct(file_parts.c.file_id)))),
            )
        )


def in_house(
    make_store: MakeStore, clock: FakeClock, act: Callable[[Any], Coroutine[Any, Any, None]], **given: Any
) -> None:
    host = ReportHost(make_store, clock, **given)
    asyncio.run(act(host))
