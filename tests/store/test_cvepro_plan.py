"""The plan on both stores: one picture at a time, chargers stay where they were placed, and without either there are cards."""

from typing import Any

import pytest

from atalaia.core.errors import InvalidField, NotFound
from atalaia.core.permissions import SYSTEM
from atalaia.integrations.cvepro.pages.plan import PlanPages
from atalaia.integrations.cvepro.service.plan import Plan
from atalaia.sdk.files import Upload
from atalaia.sdk.integration import View
from tests.conftest import MakeStore
from tests.fakes import FakeClock
from tests.store.cvepro_site import SLICE, Site, in_site, request
from tests.unit.cvepro.test_pictures import jpeg, png

BY: Any = {"by": SYSTEM, "client": "127.0.0.1"}


def upload(content: bytes) -> Upload:
    return Upload("garage.svg", "image/svg+xml", content)


class Garage:
    def __init__(self, site: Site) -> None:
        host: Any = site.host
        self.site = site
        self.plan = Plan(host)
        self.pages = PlanPages(host, site.board)

    async def shown(self, **query: str) -> str:
        return await self.site.page("/cvepro/plan/now", query=query)


def test_a_picture_takes_the_place_of_the_one_before(make_store: MakeStore, clock: FakeClock) -> None:
    async def act(site: Site) -> None:
        garage = Garage(site)
        await site.read()
        with pytest.raises(NotFound):
            await garage.pages.picture(request("/api/cvepro/plan/picture"))
        await garage.plan.set_picture(upload(png(80, 40)), **BY)
        first = (await garage.plan.look()).file_id
        await garage.plan.place({"CVE-001": (10.0, 20.0), "CVE-002": (10.5, 20.0), "gone": (1.0, 1.0)}, **BY)
        html = await garage.shown()
        assert 'viewBox="0 0 1000 500.0"' in html
        assert html.count('class="spot') == 1, "two that are too near to each other are one mark"
        assert "×2" in html
        await garage.plan.set_picture(upload(jpeg(30, 40)), **BY)
        placed = await garage.plan.look()
        assert placed.places["CVE-001"] == (10.0, 20.0)
        reply = await garage.pages.picture(request("/api/cvepro/plan/picture"))
        assert (reply.content_type, reply.body) == ("image/jpeg", jpeg(30, 40))
        assert first is not None
        assert await site.host.read(lambda tx: site.host.files.find(tx, first)) is None
        await garage.plan.place({"CVE-001": None}, **BY)
        assert set((await garage.plan.look()).places) == {"CVE-002", "gone"}
        await garage.plan.drop_picture(**BY)
        assert (await garage.plan.picture()) is None
        assert "5 m" in await garage.shown(), "by coordinates again"
        assert site.host.audited == [
            "cvepro.plan_picture_set",
            "cvepro.plan_chargers_placed",
            "cvepro.plan_picture_set",
            "cvepro.plan_chargers_placed",
            "cvepro.plan_picture_removed",
        ]

    in_site(make_store(SLICE), clock, act)


def test_without_coordinates_and_picture_there_are_the_cards(make_store: MakeStore, clock: FakeClock) -> None:
    async def act(site: Site) -> None:
        site.fault(drop=["locationLatitude"])
        await site.read()
        html = await site.page("/cvepro/plan/now")
        assert '<svg viewBox="0 0 1000' not in html
        assert html.count("<section") == 20

    in_site(make_store(SLICE), clock, act)


def test_a_form_that_is_wrong_keeps_nothing_and_says_where(make_store: MakeStore, clock: FakeClock) -> None:
    async def act(site: Site) -> None:
        garage = Garage(site)
        await site.read()
        await garage.plan.set_picture(upload(png(80, 40)), **BY)
        form = {"x:CVE-001": "12", "y:CVE-001": "34", "x:CVE-002": "112", "y:CVE-002": "1"}
        found = await garage.pages.place(request("/cvepro/plan/edit"), form)
        assert isinstance(found, View)
        assert set(found.values["errors"]) == {"at:CVE-002"}
        rows = {row["key"]: row for row in found.values["rows_shown"]}
        assert (rows["CVE-001"]["x"], rows["CVE-002"]["x"]) == ("12", "112"), "what was typed is still there"
        assert (await garage.plan.look()).places == {}
        with pytest.raises(InvalidField):
            await garage.plan.set_picture(None, **BY)
        with pytest.raises(InvalidField):
            await garage.plan.set_picture(upload(b"<svg onload='x'/>"), **BY)

    in_site(make_store(SLICE), clock, act)
