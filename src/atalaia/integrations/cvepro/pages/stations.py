"""Charge points that connect straight: which there are, who is let in, and what is entered into a charger."""

from collections.abc import Mapping
from typing import Any, Final

from atalaia.core.errors import AtalaiaError, InvalidField, NotFound
from atalaia.core.permissions import Permission
from atalaia.core.redaction import Secret
from atalaia.core.translations import N_
from atalaia.integrations.cvepro.model.stations import PROTOCOL, Admission
from atalaia.integrations.cvepro.ocpp.admitting import Admitting
from atalaia.integrations.cvepro.ocpp.central import policy_of
from atalaia.integrations.cvepro.pages.words import Said, said
from atalaia.sdk.integration import Host, Page, Request, View

HREF: Final = "/cvepro/stations"
_TITLE: Final = N_("Stations")
STANDINGS: Final = {
    str(Admission.PENDING): ("degraded", N_("Waits to be let in")),
    str(Admission.ADMITTED): ("up", N_("Connected")),
    str(Admission.REFUSED): ("paused", N_("Refused")),
}
AWAY: Final = ("down", N_("Not connected"))


class Stations:
    def __init__(self, host: Host, admitting: Admitting) -> None:
        self._host = host
        self._admitting = admitting

    def pages(self) -> tuple[Page, ...]:
        return (
            Page(HREF, Permission.OVERVIEW_READ, self.show, self.submit, submit_permission=Permission.DASHBOARDS_WRITE),
            Page(f"{HREF}/rows", Permission.OVERVIEW_READ, self.part),
        )

    async def show(self, request: Request) -> View:  # noqa: ARG002 - a page's form
        return await self._view("", {})

    async def part(self, request: Request) -> View:  # noqa: ARG002 - a page's form
        return View("cvepro/_station_rows.html", "", await self._values(), is_part=True)

    async def submit(self, request: Request, form: Mapping[str, str]) -> View | str:
        box_id = form.get("box_id", "")
        try:
            password = await self._do(request, form.get("do", ""), box_id)
        except AtalaiaError as error:
            return await self._view(box_id, {error.field if isinstance(error, InvalidField) else "": said(error)})
        if password is None:
            return HREF
        values = {"box_id": box_id.strip(), "password": password.reveal(), "address": self._address}
        return View("cvepro/station_password.html", N_("The station's password"), values, status=200)

    async def _do(self, request: Request, what: str, box_id: str) -> Secret | None:
        """Its new password, where it got one. Raises: NotFound, Conflict, InvalidField."""
        who: dict[str, Any] = {"by": request.principal, "client": request.client}
        match what:
            case "add":
                return await self._admitting.add(box_id, **who)
            case "admit" | "admit_without":
                return await self._admitting.admit(box_id, with_password=what == "admit", **who)
            case "password":
                return await self._admitting.renew_password(box_id, **who)
            case "refuse":
                await self._admitting.refuse(box_id, **who)
            case "forget":
                await self._admitting.forget(box_id, **who)
            case _:
                raise NotFound(N_("There is nothing like that to do."))
        return None

    @property
    def _address(self) -> str:
        """What is entered into a charger, but for its id."""
        return f"ws{self._host.public_url.removeprefix('http')}/ocpp/"

    async def _view(self, box_id: str, errors: Mapping[str, Said]) -> View:
        return View("cvepro/stations.html", _TITLE, {**await self._values(), "box_id": box_id, "errors": errors})

    async def _values(self) -> dict[str, Any]:
        found = await self._admitting.all_of_them()
        return {
            "stations": found,
            "standings": STANDINGS,
            "away": AWAY,
            "address": self._address,
            "is_tls": self._host.public_url.startswith("https://"),
            "protocol": PROTOCOL,
            "policy": str(policy_of(str(self._host.setting("ocpp_admission")))),
            "rows": len(found),
        }
