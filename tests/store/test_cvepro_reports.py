"""Reports in the store: a month's set is replaced as a whole or not at all, brought ones stay, residents read their own."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from atalaia.core.errors import InvalidField
from atalaia.core.permissions import SYSTEM
from atalaia.integrations.cvepro.model.reports import Format, ReportOrder, Which
from atalaia.integrations.cvepro.papers.orders import Order, Printed
from atalaia.integrations.cvepro.queries import reports as queries
from atalaia.integrations.cvepro.service import reporting
from atalaia.integrations.cvepro.service.reporting import Attempt, Reporting
from atalaia.integrations.cvepro.service.reports import Reports
from atalaia.sdk.files import Upload
from atalaia.sdk.jobs import JobFailed
from tests.conftest import MakeStore
from tests.fakes import FakeClock
from tests.store.cvepro_reports_kit import MONTH, PDF, in_house


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


Press = Callable[[Order], AsyncGenerator[Printed, None]]


def press(version: str, *, fails_after: int | None = None, hangs_after: int | None = None) -> Press:
    """Draws nothing; says which version it is of."""

    async def printed(order: Order) -> AsyncGenerator[Printed, None]:
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
        async with asyncio.timeout(60):
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

        async def slow(order: Order) -> AsyncGenerator[Printed, None]:
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
