"""RFID tags that the vendor's cloud knows, and nobody here has: each is given to a resident, new or known."""

from collections.abc import Mapping
from typing import Any, Final

from atalaia.core.errors import AtalaiaError
from atalaia.core.permissions import Permission
from atalaia.core.translations import N_
from atalaia.integrations.cvepro.cloud.offered import TAGS_TOPIC
from atalaia.integrations.cvepro.model.feeds import TAGS, Feed
from atalaia.integrations.cvepro.pages.words import Said, said
from atalaia.integrations.cvepro.queries import cloud_tags, register
from atalaia.integrations.cvepro.queries.chargers import feed
from atalaia.integrations.cvepro.service.residents import By, Residents
from atalaia.sdk.integration import Host, Page, Request, View
from atalaia.sdk.transaction import Tx

HREF: Final = "/cvepro/tags"
_MOST: Final = 500


class CloudTags:
    def __init__(self, host: Host, residents: Residents) -> None:
        self._host = host
        self._residents = residents

    def pages(self) -> tuple[Page, ...]:
        return (
            Page(HREF, Permission.OVERVIEW_READ, self.show, self.submit, submit_permission=Permission.DASHBOARDS_WRITE),
        )

    async def show(self, request: Request) -> View:
        return await self._view(request.query.get("give", ""), "", None)

    async def submit(self, request: Request, form: Mapping[str, str]) -> View | str:
        tag, resident = form.get("tag", ""), form.get("resident", "")
        try:
            await self._residents.give_tag(resident, tag, by=By(request.principal, request.client))
        except AtalaiaError as error:
            return await self._view(tag, resident, said(error))
        self._host.publish(TAGS_TOPIC)
        return HREF

    async def _view(self, give: str, resident: str, error: Said | None) -> View:
        def unit(tx: Tx) -> dict[str, Any]:
            found = cloud_tags.unclaimed(tx)
            standing: Feed = feed(tx, TAGS)
            chosen = next((each for each in found if each.tag == give), None)
            people = register.everybody(tx) if chosen else []
            return {
                "found": found[:_MOST],
                "count": len(found),
                "known": cloud_tags.count(tx),
                "feed": standing,
                "chosen": chosen,
                "people": [(each.id, f"{each.flat} · {each.name}") for each in people],
            }

        values = await self._host.read(unit)
        path = str(self._host.setting("tags_path")).strip()
        return View(
            "cvepro/cloud_tags.html",
            N_("Tags with nobody here"),
            {**values, "is_asked": bool(path), "resident": resident, "error": error, "rows": len(values["found"])},
        )
