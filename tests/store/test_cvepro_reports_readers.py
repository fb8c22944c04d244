"""Who reads which reports, and that what is dropped is gone with its file."""

from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import insert

from atalaia.core.errors import NotFound
from atalaia.core.ids import new_id
from atalaia.core.permissions import SYSTEM, Permission, Principal, Role
from atalaia.integrations.cvepro.model.reports import Format, Report
from atalaia.integrations.cvepro.model.sessions import Session
from atalaia.integrations.cvepro.queries import reports as queries
from atalaia.integrations.cvepro.queries import residents as resident_queries
from atalaia.integrations.cvepro.queries import sessions
from atalaia.integrations.cvepro.service.reports import Reports
from atalaia.integrations.cvepro.service.residents import By, Entry, Residents
from atalaia.integrations.cvepro.tables import residents, tags
from tests.conftest import MakeStore
from tests.fakes import FakeClock
from tests.store.cvepro_reports_kit import MONTH, NOW, PDF, in_house


def person(id: str, *more: Permission) -> Principal:
    return Principal(
        id=id,
        kind="person",
        name=id,
        role=Role.CLIENT,
        permissions=frozenset({Permission.OWN_ACCOUNT, Permission.DASHBOARDS_READ, *more}),
    )


async def lives(host: Any, name: str, flat: str, *, since: datetime | None, **more: Any) -> str:
    id_ = new_id()
    row = {
        "id": id_,
        "name": name,
        "flat": flat,
        "person_id": name,
        "locale": "pt-BR",
        "notices": [],
        "is_active": True,
    }
    row |= {"created_at": NOW, "changed_at": NOW, **more}
    tag = {"id": new_id(), "tag": f"TAG{name}".upper(), "resident_id": id_, "since_at": since}

    def unit(tx: Any) -> None:
        tx.execute(insert(residents).values(**row))
        tx.execute(insert(tags).values(**tag))

    await host.write(unit)
    return id_


async def kept(host: Any, month: str, flat: str | None, *holders: str, job_id: str | None = "j") -> str:
    def unit(tx: Any) -> str:
        file = host.files.keep(tx, name="x.pdf", media_type="application/pdf", content=PDF)
        report = Report(
            id=new_id(),
            month=month,
            flat=flat,
            title="x",
            format=Format.PDF,
            file_id=file.id,
            size_bytes=len(PDF),
            job_id=job_id,
            holders=holders,
            created_by="t",
            created_at=NOW,
        )
        queries.add(tx, report)
        return report.id

    return str(await host.write(unit))


def test_a_resident_reads_those_of_the_own_flat_since_living_there_and_no_other(
    make_store: MakeStore, clock: FakeClock
) -> None:
    async def act(host: Any) -> None:
        reports = Reports(host)
        ana = await lives(host, "ana", "101", since=datetime(2026, 9, 12, tzinfo=UTC))
        await lives(host, "old", "101", since=None, is_active=False)
        own = await kept(host, "2026-10", "101", ana)
        empty = await kept(host, "2026-11", "101")
        not_hers = [
            await kept(host, "2026-09", "101"),  # moved in amid it
            await kept(host, "2026-10", "101", "another household"),
            await kept(host, "2026-10", "102"),
            await kept(host, "2026-10", None),
        ]
        for id_ in (own, empty):
            assert (await reports.content(id_, person("ana")))[1] == PDF
        for id_ in not_hers:
            with pytest.raises(NotFound):
                await reports.content(id_, person("ana"))
            assert (await reports.content(id_, person("boss", Permission.OVERVIEW_READ)))[1] == PDF
        for nobody in ("old", "stranger"):
            with pytest.raises(NotFound):
                await reports.content(own, person(nobody))
        resident = await host.read(lambda tx: resident_queries.of_person(tx, "ana"))
        assert resident is not None
        found = await host.read(lambda tx: reports.own(tx, resident))
        assert [each.id for each in found] == [empty, own]

    in_house(make_store, clock, act)


async def charged(host: Any, who: str, at: datetime) -> None:
    session = Session(id=new_id(), tag=f"TAG{who}".upper(), started_at=at, stopped_at=at, energy_mwh=1)
    await host.write(lambda tx: sessions.add(tx, [session], now=at))


def test_who_has_moved_in_reads_nothing_of_those_before_also_with_a_tag_that_nobody_had(
    make_store: MakeStore, clock: FakeClock
) -> None:
    """A new tag is one's own ever since, so that it does not say since when somebody lives there."""

    async def act(host: Any) -> None:
        reports = Reports(host)
        entered_at = datetime(2026, 10, 20, tzinfo=UTC)
        ana = await lives(host, "ana", "101", since=None, created_at=entered_at)
        old = await lives(host, "old", "101", since=None, is_active=False)
        await charged(host, "ana", datetime(2026, 8, 5, tzinfo=UTC))  # before anybody was entered
        await charged(host, "ana", datetime(2026, 9, 5, tzinfo=UTC))
        await charged(host, "old", datetime(2026, 9, 6, tzinfo=UTC))
        hers = [
            await kept(host, "2026-08", "101", ana),
            await kept(host, "2026-08", "101", job_id=None),
            await kept(host, "2026-10", "101", ana),
            await kept(host, "2026-11", "101"),
            await kept(host, "2026-11", "101", job_id=None),
        ]
        not_hers = [
            await kept(host, "2026-07", "101"),
            await kept(host, "2026-07", "101", job_id=None),
            await kept(host, "2026-09", "101", ana, old),
            await kept(host, "2026-09", "101", job_id=None),
            await kept(host, "2026-10", "101", ana, "somebody who is not in the register any more"),
        ]
        for id_ in hers:
            assert (await reports.content(id_, person("ana")))[1] == PDF
        for id_ in not_hers:
            with pytest.raises(NotFound):
                await reports.content(id_, person("ana"))

    in_house(make_store, clock, act)


def test_who_moves_to_another_flat_reads_nothing_of_its_household_before(
    make_store: MakeStore, clock: FakeClock
) -> None:
    async def act(host: Any) -> None:
        reports, people = Reports(host), Residents(host)
        long_ago = datetime(2025, 1, 1, tzinfo=UTC)
        rui = await lives(host, "rui", "101", since=long_ago, created_at=long_ago)
        own = await kept(host, "2026-10", "101", rui)
        assert (await reports.content(own, person("rui")))[1] == PDF
        moved = Entry(name="rui", flat="102", account="rui", tags=["TAGRUI"])
        await people.change(rui, lambda _: moved, by=By(SYSTEM))
        hers = [await kept(host, "2026-10", "102"), await kept(host, "2026-11", "102", rui, "who was there before")]
        for id_ in (own, *hers):
            with pytest.raises(NotFound):
                await reports.content(id_, person("rui"))
        assert (await reports.content(await kept(host, "2026-12", "102"), person("rui")))[1] == PDF
        await people.change(rui, lambda _: replace(moved, flat="Ap. 102"), by=By(SYSTEM))
        again = await kept(host, "2026-11", "Ap. 102", rui)  # a flat that is only written otherwise: made anew
        assert (await reports.content(again, person("rui")))[1] == PDF

    in_house(make_store, clock, act)


def test_what_is_dropped_is_gone_with_its_file_all_or_none(make_store: MakeStore, clock: FakeClock) -> None:
    async def act(host: Any) -> None:
        reports = Reports(host)
        one, two = await kept(host, MONTH, None), await kept(host, MONTH, "101")
        for wrong in ([one, "none"], []):
            with pytest.raises(NotFound):
                await reports.drop(wrong, by=SYSTEM, client=None)
        assert await host.counts() == (2, 2, 2)
        await reports.drop([one, two], by=SYSTEM, client=None)
        assert await host.counts() == (0, 0, 0)
        assert host.audited == ["cvepro.report_deleted"] * 2

    in_house(make_store, clock, act)
