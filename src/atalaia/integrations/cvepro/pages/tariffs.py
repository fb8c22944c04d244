"""Tariffs: those there are, a new one with a preview, deleting what nothing went by."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from atalaia.core.errors import AtalaiaError, Conflict, InvalidField
from atalaia.core.permissions import Permission
from atalaia.core.translations import N_
from atalaia.integrations.cvepro.api.imports import read_day
from atalaia.integrations.cvepro.model.pricing import Charged, Price, PriceList
from atalaia.integrations.cvepro.model.tariffs import Terms, read_terms
from atalaia.integrations.cvepro.pages.tariff_form import field_of, rows_of, shown_of, terms_of, typed_of
from atalaia.integrations.cvepro.pages.words import MONTHS, WEEKDAYS, Said, days_said, noon, said
from atalaia.integrations.cvepro.service.billing import zone_of
from atalaia.integrations.cvepro.service.tariffs import Standing, Tariffs
from atalaia.sdk.integration import Host, Page, Request, View

HREF: Final = "/cvepro/tariffs"
_MORE: Final = 4
# An evening's charge, from before the usual peak until after it.
_EXAMPLE_HOURS: Final = (17, 22)
_EXAMPLE_MWH: Final = 24_000_000
_EXAMPLE_IDLE_S: Final = 2700.0


class TariffPages:
    def __init__(self, host: Host) -> None:
        self._host = host
        self._tariffs = Tariffs(host)

    def pages(self) -> tuple[Page, ...]:
        read, write = Permission.OVERVIEW_READ, Permission.DASHBOARDS_WRITE
        return (
            Page(HREF, read, self.show, self.drop, submit_permission=write),
            Page(f"{HREF}/rows", read, self.rows),
            Page(f"{HREF}/new", write, self.new, self.submit),
        )

    async def show(self, request: Request) -> View:
        return View("cvepro/tariffs.html", N_("Tariffs"), await self._listed(request.timezone))

    async def rows(self, request: Request) -> View:
        return View("cvepro/_tariff_rows.html", "", await self._listed(request.timezone), is_part=True)

    async def drop(self, request: Request, form: Mapping[str, str]) -> View | str:
        try:
            await self._tariffs.drop(form.get("id", ""), by=request.principal, client=request.client)
        except AtalaiaError as error:
            values = await self._listed(request.timezone)
            return View("cvepro/tariffs.html", N_("Tariffs"), {**values, "problem": said(error)})
        return HREF

    async def new(self, request: Request) -> View:
        """Filled in with the newest tariff, which is what most will be changed from."""
        newest = next(iter(await self._tariffs.all()), None)
        return _form(shown_of(newest.tariff.terms if newest else None, locale=request.locale))

    async def submit(self, request: Request, form: Mapping[str, str]) -> View | str:
        if form.get("do") == "more":
            return _form(typed_of({**form, "rows": str(rows_of(form) + _MORE)}), status=200)
        try:
            terms = terms_of(form, locale=request.locale)
            if form.get("do") == "preview":
                return _form(typed_of(form), preview=await self._preview(terms), status=200)
            first_day = read_day(form.get("first_day", ""), "first_day")
            await self._tariffs.add(first_day, terms, by=request.principal, client=request.client)
        except (InvalidField, Conflict) as error:
            field = field_of(error.field, form) if isinstance(error, InvalidField) else "first_day"
            return _form(typed_of(form), errors={field: said(error)})
        return HREF

    async def _preview(self, terms: Terms) -> dict[str, Any]:
        """Raises: InvalidField."""
        terms = read_terms(terms)
        compared = await self._tariffs.compare(terms)
        charged = _example(self._host.clock.now().astimezone(zone_of(self._host)))
        price = PriceList(terms, zone_of(self._host)).price(charged)
        return {
            "example": charged,
            "since": f"{charged.started_at:%H:%M}",
            "until": f"{charged.stopped_at:%H:%M}",
            "parts": parts_shown(price),
            "cost_micros": price.cost_micros,
            "month": MONTHS[compared.present.month.number - 1],
            "year": compared.present.month.year,
            "present": compared.present.sums,
            "proposed": compared.proposed.sums,
        }

    async def _listed(self, timezone: str) -> dict[str, Any]:
        found = await self._tariffs.all()
        return {
            "tariffs": [_row(each, timezone) for each in found],
            "rows": len(found),
            "problem": None,
            "zone": (zone := zone_of(self._host).key),
            "bad_zone": None if zone == (asked := str(self._host.setting("timezone"))) else asked,
        }


def _row(one: Standing, timezone: str) -> dict[str, Any]:
    tariff = one.tariff
    return {
        "id": tariff.id,
        "since": noon(tariff.first_day, timezone),
        "until": noon(one.last_day, timezone) if one.last_day else None,
        "is_in_force": one.is_in_force,
        "is_ahead": one.is_ahead,
        "terms": tariff.terms,
        "bands": [(band, days_said(band.days)) for band in tariff.terms.bands],
        "kept_for": (MONTHS[one.kept_for.number - 1], one.kept_for.year) if one.kept_for else None,
    }


def _form(
    values: Mapping[str, Any],
    *,
    errors: Mapping[str, Said] | None = None,
    preview: Mapping[str, Any] | None = None,
    status: int | None = None,
) -> View:
    more = {"errors": errors or {}, "preview": preview, "weekdays": WEEKDAYS}
    return View("cvepro/tariff_form.html", N_("New tariff"), {"values": values, **more}, status=status)


def _example(now: datetime) -> Charged:
    """On the last working day before today."""
    local = now - timedelta(days=3 if now.isoweekday() == 1 else 2 if now.isoweekday() == 7 else 1)  # noqa: PLR2004 - Sunday
    since, until = (local.replace(hour=hour, minute=30, second=0, microsecond=0) for hour in _EXAMPLE_HOURS)
    return Charged(started_at=since, stopped_at=until, energy_mwh=_EXAMPLE_MWH, idle_s=_EXAMPLE_IDLE_S)


def parts_shown(price: Price) -> list[dict[str, Any]]:
    names = {"session": N_("Fee of the session"), "idle": N_("Idle time"), "energy": N_("Energy")}
    return [
        {"part": part, "word": names[part.kind] if part.kind != "energy" or not part.name else None}
        for part in price.parts
    ]
