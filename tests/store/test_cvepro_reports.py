"""Reports in the store: a month's set is replaced as a whole or not at all, brought ones stay, residents read their own."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import func, insert, select

from atalaia.core.errors import InvalidField, NotFound
from atalaia.core.ids import new_id
from atalaia.core.permissions import SYSTEM, Permission, Principal, Role
from atalaia.integrations.cvepro import reporting, tables
from atalaia.integrations.cvepro.manifest import SETTINGS
from atalaia.integrations.cvepro.model.reports import Format, Report, ReportOrder, Which
from atalaia.integrations.cvepro.papers.orders import Order, Printed
from atalaia.integrations.cvepro.queries import reports as queries
from atalaia.integrations.cvepro.queries import residents as resident_queries
from atalaia.integrations.cvepro.reporting import Attempt, Reporting
from atalaia.integrations.cvepro.reports import Reports
from atalaia.integrations.cvepro.tables import residents, tags
from atalaia.sdk.files import Upload
from atalaia.sdk.integration import JobStanding, NewJob
from atalaia.sdk.jobs import JobFailed
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


@dataclass
class FakeRun:
    """sdk.jobs.JobRun, as far as the handler uses it."""

    payload: ReportOrder
    id: str = "job-1"
    noted: list[dict[str, Any]] = field(default_factory=list)

    @asynccontextmanager
    async def step(self, _name: str, **_data: Any) -> AsyncIterator["FakeRun"]:
        yield self

    async def note(self, **data: Any) -> None:
        self.noted.append(data)


Press = Callable[[Order], AsyncIterator[Printed]]


def press(version: str, *, fails_after: int | None = None, hangs_after: int | None = None) -> Press:
    """Draws nothing; says which version it is of."""

    async def printed(order: Order) -> AsyncIterator[Printed]:
        for number, wanted in enumerate(order.wanted):
            if number == fails_after:
                raise JobFailed("The press broke.", failure="not_drawn", is_retryable=True)
            if number == hangs_after:
                await asyncio.Event().wait()
            title = f"{version} {wanted.flat}"
            yield Printed(flat=wanted.flat, format=wanted.format, title=title, content=title.encode())

    return printed


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Callable[[Press], None]:
    return lambda made: monkeypatch.setattr(reporting, "printed", made)


def in_house(
    make_store: MakeStore, clock: FakeClock, act: Callable[[Any], Coroutine[Any, Any, None]], **given: Any
) -> None:
    host = ReportHost(make_store, clock, **given)
    asyncio.run(act(host))


async def made(host: Any, order: ReportOrder | None = None) -> FakeRun:
    run = FakeRun(order or ReportOrder(month=MONTH))
    await Reports(host).reporting.run(run)  # type: ignore[arg-type]  # as far as it is used
    return run


def test_a_month_has_a_paper_of_each_flat_and_the_whole_in_both_formats(
    make_store: MakeStore, clock: FakeClock, use: Callable[[Press], None]
) -> None:
    use(press("v1"))

    async def act(host: Any) -> None:
        host.furnish()
        run = await made(host)
        found = await host.shown()
        flats = {each.flat for each in found}
        assert flats == {None, "101", "102", "103", "104", "105", "106"}
        assert len(found) == 14 == len({(each.flat, each.format) for each in found})
        assert {each.format for each in found} == {Format.PDF, Format.XLSX}
        assert run.noted[-1] == {"done": 14, "progress": 100}
        assert await host.counts() == (14, 14, 14)

    in_house(make_store, clock, act)


def test_made_again_they_replace_the_former_and_leave_what_was_brought(
    make_store: MakeStore, clock: FakeClock, use: Callable[[Press], None]
) -> None:
    async def act(host: Any) -> None:
        host.furnish()
        use(press("v1"))
        await made(host)
        brought = await Reports(host).bring(
            Upload("conta.pdf", "x/y", PDF), title="", month=MONTH, flat="101", by=SYSTEM, client=None
        )
        use(press("v2"))
        await made(host)
        contents = await host.contents()
        assert len(contents) == 14
        assert all(content.startswith(b"v2") for content in contents.values())
        assert brought in await host.shown()
        assert await host.counts() == (15, 15, 15)
        use(press("v3"))
        await made(host, ReportOrder(month=MONTH, which=Which.FLAT, flat="103"))
        versions = {key: content[:2] for key, content in (await host.contents()).items()}
        assert {key for key, version in versions.items() if version == b"v3"} == {("103", "pdf"), ("103", "xlsx")}
        assert len(versions) == 14
        await made(host, ReportOrder(month=MONTH, which=Which.WHOLE))
        assert (await host.contents())[None, "pdf"].startswith(b"v3")
        assert await host.counts() == (15, 15, 15)

    in_house(make_store, clock, act)


def test_a_run_that_fails_leaves_the_former_and_nothing_of_its_own(
    make_store: MakeStore, clock: FakeClock, use: Callable[[Press], None]
) -> None:
    async def act(host: Any) -> None:
        host.furnish(20, 100)
        use(press("v1"))
        await made(host)
        before = await host.counts()
        use(press("v2", fails_after=30))
        with pytest.raises(JobFailed):
            await made(host)
        assert all(content.startswith(b"v1") for content in (await host.contents()).values())
        assert await host.counts() == before

    in_house(make_store, clock, act)


def test_a_run_that_is_cancelled_leaves_the_former_and_nothing_of_its_own(
    make_store: MakeStore, clock: FakeClock, use: Callable[[Press], None]
) -> None:
    async def act(host: Any) -> None:
        host.furnish(20, 100)
        use(press("v1"))
        await made(host)
        before = await host.counts()
        use(press("v2", hangs_after=20))
        task = asyncio.create_task(made(host))
        async with asyncio.timeout(20):
            while (await host.counts())[0] == before[0]:  # noqa: ASYNC110 - asks, with a deadline
                await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert all(content.startswith(b"v1") for content in (await host.contents()).values())
        assert await host.counts() == before

    in_house(make_store, clock, act)


def test_drafts_of_a_hub_that_was_killed_are_seen_by_nobody_and_go_with_the_next_run(
    make_store: MakeStore, clock: FakeClock, use: Callable[[Press], None]
) -> None:
    async def act(host: Any) -> None:
        host.furnish(20, 100)
        use(press("v1", fails_after=30))

        class Dead(Reporting):
            async def _forget(self, attempt: Attempt) -> None: ...

        with pytest.raises(JobFailed):
            await Dead(host).run(FakeRun(ReportOrder(month=MONTH)))  # type: ignore[arg-type]  # as far as it is used
        assert await host.shown() == []
        assert await host.read(queries.months) == []
        assert (await host.counts())[0] == 16
        use(press("v2"))
        await made(host)
        assert await host.counts() == (42, 42, 42)
        assert len(await host.shown()) == 42

    in_house(make_store, clock, act)


def test_a_run_that_was_overtaken_changes_nothing(
    make_store: MakeStore, clock: FakeClock, use: Callable[[Press], None]
) -> None:
    async def act(host: Any) -> None:
        host.furnish()

        async def slow(order: Order) -> AsyncIterator[Printed]:
            async for paper in press("old")(order):
                yield paper
            use(press("new"))
            await made(host)  # meanwhile, elsewhere

        use(slow)
        with pytest.raises(JobFailed, match="Another run"):
            await made(host)
        assert all(content.startswith(b"new") for content in (await host.contents()).values())
        assert await host.counts() == (14, 14, 14)

    in_house(make_store, clock, act)


def test_orders_are_checked_noted_and_shown_with_how_far_they_are(make_store: MakeStore, clock: FakeClock) -> None:
    async def act(host: Any) -> None:
        host.furnish()
        reports = Reports(host)
        for wrong, name in (
            (ReportOrder(month="2026-13"), "month"),
            (ReportOrder(month="2026-12"), "month"),
            (ReportOrder(month=MONTH, which=Which.FLAT), "flat"),
            (ReportOrder(month=MONTH, which=Which.FLAT, flat="999"), "flat"),
        ):
            with pytest.raises(InvalidField) as refused:
                await reports.order(wrong, by=SYSTEM, client=None)
            assert refused.value.field == name
        assert host.asked == []
        await reports.order(ReportOrder(month="2026-11", which=Which.FLAT, flat=" 101 "), by=SYSTEM, client=None)
        (one,) = await reports.orders()
        assert (one.month, one.which, one.flat, one.share, one.is_ended) == ("2026-11", Which.FLAT, "101", 0.25, False)
        assert host.audited == ["cvepro.reports_ordered"]

    in_house(make_store, clock, act)


@pytest.mark.parametrize(("day", "at", "is_due"), [(3, 3, True), (4, 3, False), (0, 3, False), (31, 30, True)])
def test_last_months_are_made_once_from_the_day_on_that_is_set(
    make_store: MakeStore, clock: FakeClock, day: int, at: int, is_due: bool
) -> None:
    async def act(host: Any) -> None:
        clock.advance((datetime(2026, 11, at, 12, tzinfo=UTC) - clock.now()).total_seconds())
        for _ in range(3):
            await Reports(host).look_after()
            clock.advance(60)
        assert host.asked == (['{"month":"2026-10","which":"all","flat":null}'] if is_due else [])
        assert all(host.keys)
        if is_due:
            clock.advance(86_400 * 31)
            await Reports(host).look_after()
            assert [asked[:18] for asked in host.asked] == ['{"month":"2026-10"', '{"month":"2026-11"']

    in_house(make_store, clock, act, report_day=day)


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


async def kept(host: Any, month: str, flat: str | None, *holders: str) -> str:
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
            job_id="j",
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
