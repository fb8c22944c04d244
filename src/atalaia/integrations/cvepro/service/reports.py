"""Reports as people deal with them: ordered, brought, read, dropped; and last month's made by itself on a day of the month."""

import calendar
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from atalaia.core.errors import InvalidField, NotFound
from atalaia.core.ids import new_id
from atalaia.core.permissions import SYSTEM, Permission, Principal
from atalaia.core.translations import N_
from atalaia.integrations.cvepro.model.months import Month, month_of, read_month
from atalaia.integrations.cvepro.model.reports import (
    JOB,
    MEDIA_TYPES,
    Report,
    ReportOrder,
    Which,
    file_name,
    one_of_them,
    read_title,
    recognised,
)
from atalaia.integrations.cvepro.model.residents import Resident, read_flat
from atalaia.integrations.cvepro.queries import lines, reports, residents
from atalaia.integrations.cvepro.service.billing import zone_of
from atalaia.integrations.cvepro.service.reporting import TOPIC, Reporting
from atalaia.sdk.contribution import Loop
from atalaia.sdk.files import Upload
from atalaia.sdk.integration import Host, NewJob
from atalaia.sdk.transaction import Tx

PERIOD_S: Final = 60.0
_DRAFTS_KEPT: Final = timedelta(days=1)
_ORDERS_KEPT: Final = timedelta(days=90)
_ORDERS_SHOWN: Final = 10
_ORDERS_FRESH: Final = timedelta(days=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered:
    """A job that makes reports, and how it stands; `share` 0..1 where it tells."""

    job_id: str
    month: str
    which: Which
    flat: str | None
    created_by: str
    created_at: datetime
    status: str
    share: float | None
    error: str | None

    @property
    def is_ended(self) -> bool:
        return self.status not in {"pending", "processing"}


class Reports:
    def __init__(self, host: Host) -> None:
        self._host = host
        self.reporting = Reporting(host)

    def loop(self) -> Loop:
        return Loop("cvepro_reports", PERIOD_S, self.look_after)

    async def order(self, order: ReportOrder, *, by: Principal, client: str | None) -> NewJob:
        """A job; the one under way where there is one of the same. Raises: InvalidField."""
        wanted = self._read_order(order)
        if wanted.flat is not None and not await self._host.read(lambda tx: reports.is_flat(tx, wanted.flat or "")):
            raise InvalidField("flat", N_("Nobody lives in {flat}, and nobody has charged for it."), flat=wanted.flat)
        job = await self._enqueue(wanted, by=by)

        def unit(tx: Tx) -> None:
            self._note(tx, job.id, wanted, by=by, is_scheduled=False)
            if job.is_new:
                what = {"month": wanted.month, "which": str(wanted.which), "flat": wanted.flat}
                self._host.audit(
                    tx, by=by, action="cvepro.reports_ordered", target=f"job:{job.id}", client=client, **what
                )

        await self._host.write(unit)
        return job

    async def bring(
        self, upload: Upload | None, *, title: str, month: str, flat: str, by: Principal, client: str | None
    ) -> Report:
        """A report that was made elsewhere. Raises: InvalidField."""
        if upload is None:
            raise InvalidField("file", N_("Choose a file."))
        found = recognised(upload.content)
        named = read_title(title if title.strip() else upload.name.rpartition(".")[0] or upload.name)
        of_month = str(read_month(month))
        of_flat = read_flat(flat) if flat.strip() else None

        def unit(tx: Tx) -> Report:
            file = self._host.files.keep(
                tx, name=file_name(named, found), media_type=MEDIA_TYPES[found], content=upload.content
            )
            report = Report(
                id=new_id(),
                month=of_month,
                flat=of_flat,
                title=named,
                format=found,
                file_id=file.id,
                size_bytes=file.size_bytes,
                job_id=None,
                created_by=by.name,
                created_at=self._host.clock.now(),
            )
            reports.add(tx, report)
            self._audit(tx, "cvepro.report_uploaded", report, by=by, client=client)
            return report

        return await self._host.write(unit)

    async def drop(self, ids: Sequence[str], *, by: Principal, client: str | None) -> None:
        """All or none. Raises: NotFound."""

        def unit(tx: Tx) -> None:
            found = [report for each in ids if (report := reports.find(tx, each)) is not None]
            if not found or len(found) < len(ids):
                raise unknown()
            self.reporting.drop(tx, found)
            for report in found:
                self._audit(tx, "cvepro.report_deleted", report, by=by, client=client)

        await self._host.write(unit)

    async def content(self, id: str, principal: Principal) -> tuple[Report, bytes]:
        """Raises: NotFound: there is none, or none that this one may read."""

        def unit(tx: Tx) -> tuple[Report, bytes]:
            report = reports.find(tx, id)
            if report is None or not self.may_read(tx, report, principal):
                raise unknown()
            content = self._host.files.read(tx, report.file_id)
            if content is None:
                raise unknown()
            return report, content

        return await self._host.read(unit)

    def may_read(self, tx: Tx, report: Report, principal: Principal) -> bool:
        """All of them, or a resident those of the own flat."""
        if principal.may(Permission.OVERVIEW_READ):
            return True
        resident = residents.of_person(tx, principal.id) if principal.kind == "person" else None
        return resident is not None and report in self.own(tx, resident)

    def own(self, tx: Tx, resident: Resident) -> list[Report]:
        """Of the flat, from the first month on that was wholly the resident's; newest first.

        One in which others charged, and this one did not, was another household's. Of months for which nobody knows whether
        the resident lived there, only those in which this one charged, and nobody who does not live there now.
        """
        if not resident.is_active:
            return []
        since, sure = self._own_since(tx, resident)
        household = residents.living_in(tx, resident.flat)

        def is_own(report: Report) -> bool:
            if report.month >= sure:
                return not report.holders or resident.id in report.holders
            holders = report.holders or self._who_charged(tx, resident.flat, report.month)
            return resident.id in holders and household.issuperset(holders)

        return [each for each in reports.of_flat(tx, resident.flat, since_month=since) if is_own(each)]

    def _own_since(self, tx: Tx, resident: Resident) -> tuple[str, str]:
        """The first month that may be wholly the resident's, and the first that surely is."""
        starts = [tag.since_at for tag in residents.tags_of(tx, [resident.id])] or [resident.created_at]
        known = [start for start in starts if start is not None]
        # A tag that nobody had before is the resident's ever since.
        is_known = len(known) == len(starts)
        lives_since = min(known) if is_known else resident.created_at
        moved_at = resident.flat_since_at or lives_since
        return self._whole_month(min(known)) if is_known else "", self._whole_month(max(lives_since, moved_at))

    def _whole_month(self, at: datetime) -> str:
        """The first that does not begin before."""
        zone = zone_of(self._host)
        month = month_of(at, zone)
        return str(month if month.since(zone) >= at else month.moved(1))

    def _who_charged(self, tx: Tx, flat: str, month: str) -> frozenset[str | None]:
        """For a report that does not say it."""
        found, zone = read_month(month), zone_of(self._host)
        return lines.who_charged(tx, flat, found.since(zone), found.until(zone))

    async def orders(self) -> list[Ordered]:
        """Of late, newest first, with how they stand."""
        since = self._host.clock.now() - _ORDERS_FRESH
        rows = await self._host.read(lambda tx: reports.newest_orders(tx, since=since, limit=_ORDERS_SHOWN))
        found = [await self._ordered(row) for row in rows]
        return [each for each in found if each is not None]

    async def _ordered(self, row: Any) -> Ordered | None:
        job = await self._host.job(row.job_id)
        if job is None:
            return None
        progress = job.data.get("progress")
        return Ordered(
            job_id=row.job_id,
            month=row.month,
            which=Which(row.which),
            flat=row.flat,
            created_by=row.created_by,
            created_at=row.created_at,
            status=job.status,
            share=float(progress) / 100 if isinstance(progress, int | float) else None,
            error=job.error,
        )

    async def look_after(self) -> None:
        """Last month's reports, once, from the day of the month on that is set; and what was left behind is dropped."""
        now = self._host.clock.now()

        old = now - _DRAFTS_KEPT
        if await self._host.read(lambda tx: reports.drafts(tx, before=old, limit=1)):
            await self.reporting.sweep(before=old)
        month = self._due(now)
        if month is None or await self._host.read(lambda tx: reports.is_scheduled(tx, str(month))):
            return
        wanted = ReportOrder(month=str(month))
        job = await self._enqueue(wanted, by=SYSTEM, key=f"cvepro-report:{month}")
        await self._host.write(lambda tx: self._note(tx, job.id, wanted, by=SYSTEM, is_scheduled=True))

    def _due(self, now: datetime) -> Month | None:
        """The month whose reports the schedule wants by now."""
        day, local = int(self._host.setting("report_day")), now.astimezone(zone_of(self._host))
        if not day or local.day < min(day, calendar.monthrange(local.year, local.month)[1]):
            return None
        return Month(local.year, local.month).moved(-1)

    async def _enqueue(self, order: ReportOrder, *, by: Principal, key: str | None = None) -> NewJob:
        payload = msgspec.json.encode(order).decode()
        return await self._host.enqueue(JOB, payload, by=by, idempotency_key=key, unique_key=one_of_them(order))

    def _read_order(self, order: ReportOrder) -> ReportOrder:
        """Raises: InvalidField."""
        month = read_month(order.month)
        if month > month_of(self._host.clock.now(), zone_of(self._host)):
            raise InvalidField("month", N_("This month has not begun yet."))
        if order.which is not Which.FLAT:
            return ReportOrder(month=str(month), which=order.which)
        return ReportOrder(month=str(month), which=Which.FLAT, flat=read_flat(order.flat or ""))

    def _note(self, tx: Tx, job_id: str, order: ReportOrder, *, by: Principal, is_scheduled: bool) -> None:
        now = self._host.clock.now()
        reports.forget_orders(tx, before=now - _ORDERS_KEPT)
        reports.add_order(tx, job_id, order, is_scheduled=is_scheduled, by=by.name, now=now)
        tx.publish(TOPIC)

    def _audit(self, tx: Tx, action: str, report: Report, *, by: Principal, client: str | None) -> None:
        about = {"month": report.month, "flat": report.flat, "title": report.title, "format": str(report.format)}
        self._host.audit(tx, by=by, action=action, target=f"cvepro_report:{report.id}", client=client, **about)
        tx.publish(TOPIC)


def unknown() -> NotFound:
    return NotFound(N_("There is no such report."))
