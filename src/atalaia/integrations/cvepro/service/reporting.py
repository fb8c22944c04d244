"""The job that makes a month's reports.

1. What former runs of the month left unfinished is dropped.
2. The statement is read, once: all papers are of the same instant.
3. Papers are drawn by a process of its own, and kept as they come, as drafts that nobody sees.
4. In one commit the former ones are hidden and the drafts are shown. A run that finds drafts missing was overtaken, and changes nothing.
5. What is hidden is dropped, some at a time, so that nobody waits long for the writer.

A hub that is killed leaves the former reports, and drafts that the next run drops; the job starts again by itself.
"""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from datetime import datetime
from typing import Any, Final

import structlog

from atalaia.core.errors import AtalaiaError
from atalaia.core.ids import new_id
from atalaia.core.permissions import SYSTEM
from atalaia.core.translations import LOCALES, N_, Locale
from atalaia.integrations.cvepro.model.months import read_month
from atalaia.integrations.cvepro.model.reports import MADE, MEDIA_TYPES, Report, ReportOrder, Which, file_name
from atalaia.integrations.cvepro.model.statement import Statement
from atalaia.integrations.cvepro.papers.orders import Look, Order, Printed, Wanted
from atalaia.integrations.cvepro.queries import reports
from atalaia.integrations.cvepro.service import billing
from atalaia.integrations.cvepro.service.printing import printed
from atalaia.sdk.integration import Host
from atalaia.sdk.jobs import JobFailed, JobRun, Step
from atalaia.sdk.transaction import Tx

TOPIC: Final = "cvepro_reports"
_AT_ONCE: Final = 16  # papers in one commit: a writer that others wait for
_WHOLE: Final = 100

log = structlog.get_logger()


class Reporting:
    def __init__(self, host: Host) -> None:
        self._host = host

    async def run(self, run: JobRun) -> dict[str, Any]:
        """`runs_on="hub"`; its payload is a ReportOrder. Raises: InvalidField, JobFailed."""
        order: ReportOrder = run.payload
        month, zone = read_month(order.month), billing.zone_of(self._host)
        async with run.step("read"):
            await self.sweep(month=order.month)
            statement = await self._host.read(lambda tx: billing.statement(tx, month, zone))
        attempt = Attempt(self._host, run.id, order, statement)
        try:
            async with run.step("draw", papers=len(attempt.wanted), flats=len(statement.flats)) as step:
                await attempt.draw(self.look(self._host.clock.now()), step)
            async with run.step("keep"):
                await self._host.write(lambda tx: self._show(tx, attempt))
                await self.sweep(month=order.month)
        except BaseException:
            await asyncio.shield(self._forget(attempt))
            raise
        return {"papers": len(attempt.wanted), "sessions": statement.sums.sessions}

    def look(self, now: datetime) -> Look:
        setting = self._host.setting
        locale: Locale = next((each for each in LOCALES if each == setting("report_locale")), "pt-BR")
        return Look(
            locale=locale,
            condominium=str(setting("condominium")),
            address=str(setting("condominium_address")),
            made_at=now,
        )

    def _show(self, tx: Tx, attempt: "Attempt") -> None:
        """In place of the former ones. Raises: JobFailed: another run was there meanwhile."""
        order = attempt.order
        former = reports.made_of(tx, order.month, order.which, order.flat)
        if reports.show_drafts(tx, attempt.token) != len(attempt.wanted):
            raise JobFailed(N_("Another run has begun to make them."), failure="overtaken", is_retryable=True)
        reports.hide(tx, former, draft=f"former:{attempt.token}")
        tx.publish(TOPIC)

    async def sweep(self, *, month: str | None = None, before: datetime | None = None) -> None:
        """Drop what nobody sees, of a month or older than that instant."""

        def some(tx: Tx) -> bool:
            found = reports.drafts(tx, month=month, before=before, limit=_AT_ONCE)
            self.drop(tx, found)
            return len(found) == _AT_ONCE

        while await self._host.write(some):
            pass

    def drop(self, tx: Tx, found: Sequence[Report]) -> None:
        for each in found:
            self._host.files.drop(tx, each.file_id)
        reports.drop(tx, [each.id for each in found])

    async def _forget(self, attempt: "Attempt") -> None:
        """The drafts of a run that failed. Where that fails too, the next run of the month does it."""
        try:
            await self._host.write(lambda tx: self.drop(tx, reports.of_draft(tx, attempt.token)))
        except AtalaiaError as error:
            log.info("drafts_stay", job=attempt.job_id, code=error.code)


class Attempt:
    """One run's papers, until they are shown."""

    def __init__(self, host: Host, job_id: str, order: ReportOrder, statement: Statement) -> None:
        self._host = host
        self._statement = statement
        self.job_id = job_id
        self.order = order
        self.token = new_id()
        self.wanted = tuple(Wanted(flat=flat, format=each) for flat in flats_of(order, statement) for each in MADE)
        self._holders = {flat.flat: _holders(flat.lines) for flat in statement.flats}

    async def draw(self, look: Look, step: Step) -> None:
        done = 0
        papers: list[Printed] = []
        order = Order(statement=self._statement, look=look, wanted=self.wanted)
        async with aclosing(printed(order)) as coming:
            async for paper in coming:
                papers.append(paper)
                done += 1
                if len(papers) == _AT_ONCE or done == len(self.wanted):
                    await self._keep(papers, look.made_at)
                    papers = []
                    await step.note(done=done, progress=_WHOLE * done // len(self.wanted))

    async def _keep(self, papers: Sequence[Printed], now: datetime) -> None:
        def unit(tx: Tx) -> None:
            by = reports.orderer(tx, self.job_id) or SYSTEM.name
            for paper in papers:
                self._draft(tx, paper, by=by, now=now)

        await self._host.write(unit)

    def _draft(self, tx: Tx, paper: Printed, *, by: str, now: datetime) -> None:
        file = self._host.files.keep(
            tx,
            name=file_name(paper.title, paper.format),
            media_type=MEDIA_TYPES[paper.format],
            content=paper.content,
        )
        report = Report(
            id=new_id(),
            month=self.order.month,
            flat=paper.flat,
            title=paper.title,
            format=paper.format,
            file_id=file.id,
            size_bytes=file.size_bytes,
            job_id=self.job_id,
            holders=self._holders.get(paper.flat, ()) if paper.flat is not None else (),
            created_by=by,
            created_at=now,
        )
        reports.add(tx, report, draft=self.token)


def flats_of(order: ReportOrder, statement: Statement) -> list[str | None]:
    """What the order is for; None is the whole condominium. What is nobody's stands in that alone."""
    if order.which is Which.FLAT:
        return [order.flat]
    flats: list[str | None] = [None]
    if order.which is Which.ALL:
        flats += [each.flat for each in statement.flats if each.flat is not None]
    return flats


def _holders(lines: Sequence[Any]) -> tuple[str, ...]:
    return tuple(sorted({line.resident_id for line in lines if line.resident_id}))
