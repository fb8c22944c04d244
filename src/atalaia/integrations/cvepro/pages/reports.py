"""Reports: made for a month, watched while they are, downloaded; and those that people bring."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from atalaia.core.errors import AtalaiaError, InvalidField
from atalaia.core.permissions import Permission
from atalaia.core.translations import N_
from atalaia.integrations.cvepro.api.reports import href_of
from atalaia.integrations.cvepro.model.months import Month, month_of, read_month
from atalaia.integrations.cvepro.model.reports import MOST_BYTES, Format, Report, ReportOrder, Which
from atalaia.integrations.cvepro.model.statement import flat_order
from atalaia.integrations.cvepro.pages.words import MONTHS, Said, said
from atalaia.integrations.cvepro.queries import reports as queries
from atalaia.integrations.cvepro.service.billing import zone_of
from atalaia.integrations.cvepro.service.reports import Ordered, Reports
from atalaia.sdk.integration import Host, Page, Request, View

HREF: Final = "/cvepro/reports"
_ORDER_FIELDS: Final = ("month", "which", "flat")
_UPLOAD_FIELDS: Final = ("title", "month", "flat")
_STATES: Final = {
    "pending": ("paused", N_("Waiting")),
    "processing": ("maintenance", N_("Under way")),
    "completed": ("up", N_("Completed")),
    "error": ("down", N_("Failed")),
    "cancelled": ("paused", N_("Cancelled")),
}


@dataclass(slots=True)
class Shelf:
    """What there is of one flat, or of the whole: one made of each format."""

    flat: str | None
    made: dict[Format, Report] = field(default_factory=dict)

    @property
    def newest(self) -> Report:
        return max(self.made.values(), key=lambda report: report.created_at)

    @property
    def ids(self) -> str:
        return " ".join(report.id for report in self.made.values())

    @property
    def files(self) -> list[tuple[Report, str]]:
        return [(report, href_of(report)) for _, report in sorted(self.made.items())]


class ReportPages:
    def __init__(self, host: Host, reports: Reports) -> None:
        self._host = host
        self._reports = reports

    def pages(self) -> tuple[Page, ...]:
        read, write = Permission.OVERVIEW_READ, Permission.DASHBOARDS_WRITE
        return (
            Page(HREF, read, self.show, self.submit, submit_permission=write),
            Page(f"{HREF}/rows", read, self.part),
            Page(f"{HREF}/upload", write, self.upload_form, self.upload, max_file_bytes=MOST_BYTES),
        )

    async def show(self, request: Request) -> View:
        return await self._view(request, {"month": str(self._last_month()), "which": str(Which.ALL)})

    async def part(self, request: Request) -> View:
        return View("cvepro/_report_rows.html", "", await self._values(request), is_part=True)

    async def submit(self, request: Request, form: Mapping[str, str]) -> View | str:
        typed = {name: form.get(name, "") for name in _ORDER_FIELDS}
        by, client = request.principal, request.client
        try:
            if form.get("do") == "drop":
                await self._reports.drop(form.get("ids", "").split(), by=by, client=client)
                return _address(form.get("shown", ""))
            order = ReportOrder(month=typed["month"], which=_which(typed["which"]), flat=typed["flat"] or None)
            await self._reports.order(order, by=by, client=client)
        except AtalaiaError as error:
            return await self._view(request, typed, errors=_errors(error))
        return _address(typed["month"])

    async def upload_form(self, request: Request) -> View:
        month = request.query.get("month", "") or str(self._last_month())
        return _upload_view({"month": month})

    async def upload(self, request: Request, form: Mapping[str, str]) -> View | str:
        typed = {name: form.get(name, "") for name in _UPLOAD_FIELDS}
        try:
            made = await self._reports.bring(
                request.files.get("file"), **typed, by=request.principal, client=request.client
            )
        except AtalaiaError as error:
            return _upload_view(typed, errors=_errors(error))
        return _address(made.month)

    def _last_month(self) -> Month:
        return month_of(self._host.clock.now(), zone_of(self._host)).moved(-1)

    async def _view(
        self, request: Request, typed: Mapping[str, str], *, errors: Mapping[str, Said] | None = None
    ) -> View:
        values = {**await self._values(request), "typed": typed, "errors": errors or {}}
        return View("cvepro/reports.html", N_("Reports"), values)

    async def _values(self, request: Request) -> dict[str, Any]:
        months = await self._host.read(queries.months)
        asked = request.query.get("month", "").strip()
        month = _known(asked) or (months[0][0] if months else str(self._last_month()))
        wanted = " ".join(request.query.get("flat", "").split()).casefold()
        found = await self._host.read(lambda tx: queries.of_month(tx, month))
        fitting = [each for each in found if not wanted or wanted in (each.flat or "").casefold()]
        shelves = shelved(fitting)
        return {
            "orders": [(each, *_STATES[each.status], *_month_said(each.month)) for each in await self._orders()],
            "months": [(each, *_month_said(each)) for each in sorted({month, *dict(months)}, reverse=True)],
            "month": month,
            "month_said": _month_said(month),
            "shelves": shelves,
            "brought": [(each, href_of(each)) for each in fitting if each.job_id is None],
            "has_any": bool(found),
            "params": {name: text for name, text in (("month", _known(asked)), ("flat", wanted)) if text},
            "rows": len(fitting),
        }

    async def _orders(self) -> Sequence[Ordered]:
        """Those under way or failed, and the newest that is done."""
        found = await self._reports.orders()
        done = next((each for each in found if each.status == "completed"), None)
        newest: dict[tuple[str, Which, str | None], Ordered] = {}
        for each in found:
            newest.setdefault((each.month, each.which, each.flat), each)
        return [each for each in newest.values() if each.status != "completed" or each is done]


def shelved(found: Sequence[Report]) -> list[Shelf]:
    """Made ones: the whole condominium first, then flats as people count them."""
    shelves: dict[str | None, Shelf] = {}
    for report in found:
        if report.job_id is not None:
            shelves.setdefault(report.flat, Shelf(report.flat)).made[report.format] = report
    return sorted(shelves.values(), key=lambda shelf: (shelf.flat is not None, flat_order(shelf.flat)))


def _month_said(text: str) -> tuple[str, int]:
    month = read_month(text)
    return MONTHS[month.number - 1], month.year


def _known(text: str) -> str | None:
    try:
        return str(read_month(text))
    except InvalidField:
        return None


def _which(text: str) -> Which:
    """Raises: InvalidField."""
    try:
        return Which(text or Which.ALL)
    except ValueError as error:
        raise InvalidField("which", N_("one of those shown")) from error


def _address(month: str) -> str:
    known = _known(month)
    return f"{HREF}?month={known}" if known else HREF


def _errors(error: AtalaiaError) -> dict[str, Said]:
    return {error.field if isinstance(error, InvalidField) else "": said(error)}


def _upload_view(typed: Mapping[str, str], *, errors: Mapping[str, Said] | None = None) -> View:
    values = {"typed": typed, "errors": errors or {}, "most_mb": MOST_BYTES // 1024 // 1024}
    return View("cvepro/report_upload.html", N_("Upload a report"), values)
