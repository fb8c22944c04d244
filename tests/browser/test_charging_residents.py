"""Residents in the browser: entered, imported with a preview, seen on the board; and a resident's own view, live."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from atalaia_simulators.cvepro import InThread
from tests.acceptance.calls import Client
from tests.acceptance.hub import ADMIN, PASSWORD, Hub
from tests.acceptance.test_charging import settings_for
from tests.browser.conftest import OpenContext, sign_in
from tests.browser.test_charging import violations
from tests.browser.test_pages import FOR_ALL, LOOKS, WIDTHS
from tests.servers import wait_until

LIVE_MS = 60_000
RESIDENT = "ana@example.org"
MINE = "0A11CE"
CSV = "Nome;Bloco;Apto;Telefone;Tag;Vaga\r\nJosé Conceição;A;301;(11) 3333-4444;0A:15 / 0A-16;12\r\nEva;A;302;12;;\r\n"


@dataclass
class House:
    hub: Hub
    vendor: Client
    mine: str

    def page(self, context: Any, email: str, path: str) -> Page:
        page: Page = context.new_page()
        sign_in(page, self.hub, email, PASSWORD)
        page.goto(self.hub.url + path)
        return page

    def plug_in(self, id: int, tag: str, box: int, **more: Any) -> None:
        session = {
            "id": id,
            "connectorId": 1,
            "chargeBoxId": f"CVE-{box:03d}",
            "ocppIdTag": tag,
            "startTimestamp": time.strftime("%d/%m/%Y %H:%M:%S", time.gmtime(time.time() - 3 * 3600 - 600)),
            "stopTimestamp": None,
            "userName": "AS THE VENDOR SAYS",
            **more,
        }
        assert self.vendor.post("/_sim/transactions", [session]).status == 200


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    simulator = InThread()
    simulator.start()
    env = {**settings_for(simulator.url), "ATALAIA_CVEPRO_SESSIONS_EVERY_S": "1"}
    hub = Hub(tmp_path_factory.mktemp("residents"), env=env)
    try:
        hub.start()
        hub.make_admin()
        made = hub.cli("user", "create", RESIDENT, "--role", "CLIENT", "--password-stdin", stdin=PASSWORD + "\n")
        assert made.returncode == 0, made.stderr
        reader = hub.client("read")
        wait_until(lambda: len(reader.get("/api/dashboard/chargers").json["data"]) == 20, what="the first reading")
        one = {"name": "Ana Souza", "flat": "A 101", "phone": "11 91234-5678", "email": RESIDENT, "tags": [MINE]}
        mine = hub.client("write").made("/api/cvepro/residents", one)
        yield House(hub, Client(simulator.url), mine["id"])
    finally:
        hub.close()
        simulator.close()


def test_an_administrator_enters_imports_and_links_residents(
    house: House, open_context: OpenContext, complaints: list[str]
) -> None:
    page = house.page(open_context(), ADMIN, "/cvepro/residents")
    page.get_by_role("link", name="New resident").click()
    page.get_by_label("Name").fill("Rui Lima")
    page.get_by_label("Flat").fill("A 102")
    page.locator("#f-tags").fill(MINE.lower())
    page.get_by_role("button", name="Save").click()
    expect(page.locator("main")).to_contain_text(f"{MINE} is Ana Souza's now (A 101).")
    expect(page.get_by_label("Name")).to_have_value("Rui Lima")
    complaints.clear()  # the browser names the 422
    page.locator("#f-tags").fill("0a:12, 0A13")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Rui Lima")).to_be_visible()
    expect(page.locator("main")).to_contain_text("0A12")

    page.goto(f"{house.hub.url}/cvepro/residents")
    if page.get_by_role("button", name="Link them").count():  # the tests of this module come in any order
        page.get_by_role("button", name="Link them").click()
    expect(page.get_by_role("button", name="Link them")).to_have_count(0)

    page.get_by_role("link", name="Import", exact=True).click()
    file: Any = {"name": "moradores.csv", "mimeType": "text/csv", "buffer": CSV.encode("cp1252")}
    page.set_input_files("input[type=file]", file)
    page.get_by_role("button", name="Look at the rows").click()
    expect(page.locator("[data-state=up] >> text=José Conceição")).to_be_visible()
    expect(page.locator("[data-state=down]")).to_contain_text("12 is not a phone number with its area code.")
    expect(page.locator("main")).to_contain_text("Columns that are not read: Vaga")
    page.get_by_role("button", name="Import 1 row").click()
    expect(page.locator("main")).to_contain_text("1 row was imported.")
    page.goto(f"{house.hub.url}/cvepro/residents?q=conce")
    page.get_by_role("link", name="José Conceição").click()
    expect(page.locator("main")).to_contain_text("+551133334444")
    expect(page.get_by_role("row").filter(has_text="0A15")).to_contain_text("ever since")


def test_who_charges_is_named_by_the_tag_and_a_change_of_the_name_comes_by_itself(
    house: House, open_context: OpenContext
) -> None:
    writer = house.hub.client("write")
    eva = writer.made("/api/cvepro/residents", {"name": "Eva Prado", "flat": "B 9", "tags": ["0AE0A"]})
    house.plug_in(990_001, "0ae0a", 19)
    page = house.page(open_context(), ADMIN, "/cvepro")
    card = page.locator("section.card", has=page.get_by_role("link", name="Vaga 19"))
    expect(card).to_contain_text("Eva Prado · B 9", timeout=LIVE_MS)
    changed = writer.send("PATCH", f"/api/cvepro/residents/{eva['id']}", {"name": "Eva Rocha"})
    assert changed.status == 200
    expect(card).to_contain_text("Eva Rocha · B 9", timeout=LIVE_MS)
    named = {each["chargeBoxId"]: each["usuarioAtual"] for each in writer.get("/api/dashboard/chargers").json["data"]}
    assert named["CVE-019"] == "Eva Rocha"


def test_a_resident_sees_the_own_session_come_and_chooses_notices(house: House, open_context: OpenContext) -> None:
    linked = house.hub.client("write").get(f"/api/cvepro/residents/{house.mine}").json
    if linked["account"] is None:
        admin = house.page(open_context(), ADMIN, f"/cvepro/residents/{house.mine}")
        admin.get_by_role("button", name="Link").click()
        expect(admin.get_by_role("button", name="Take the link to the account away")).to_be_visible()
    page = house.page(open_context(width=360), RESIDENT, "/cvepro/mine")
    expect(page.locator("#mine-now")).to_contain_text("You are not charging now.")
    house.plug_in(990_002, MINE, 20, startValue=1000, stopValue=6000)
    expect(page.locator("#mine-now")).to_contain_text("Vaga 20", timeout=LIVE_MS)
    expect(page.locator("#mine-now")).to_contain_text("5.00 kWh")
    expect(page.locator("#mine-now")).to_contain_text("switch that notice on below")
    page.get_by_label("A charger is free that I wait for").check()
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Tell me").click()
    expect(page.locator("#mine-now")).to_contain_text("You will be told when a charger is free.")
    page.get_by_role("button", name="Don't tell me").click()
    expect(page.locator("#mine-now")).not_to_contain_text("You will be told when a charger is free.")
    page.get_by_label("A charger is free that I wait for").uncheck()
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#mine-now")).to_contain_text("switch that notice on below")
    assert not re.search("AS THE VENDOR SAYS|Rui Lima|Eva [PR]", page.content())


@pytest.mark.timeout(900)  # seven pages with all their rules, on a busy machine
@pytest.mark.parametrize("look", [look for look in LOOKS if look[0] in FOR_ALL], ids=FOR_ALL)
def test_pages_of_residents_are_whole_and_can_be_used_by_all(
    look: tuple[str, dict[str, Any]], open_context: OpenContext, house: House
) -> None:
    one = f"/cvepro/residents/{house.mine}"
    admins = ("/cvepro/residents", "/cvepro/residents/new", "/cvepro/residents/import", one, f"{one}/edit")
    found: dict[str, Any] = {}
    for email, paths in ((ADMIN, admins), (RESIDENT, ("/cvepro/mine", "/cvepro"))):
        page = house.page(open_context(**look[1]), email, paths[0])
        for path in paths:
            answer = page.goto(house.hub.url + path)
            found[path] = [] if answer and answer.status == 200 else [f"status {answer and answer.status}"]
            found[path] += violations(page)
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 900})
                if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
                    found[path].append(f"sticks out at {width} px")
            page.set_viewport_size({"width": look[1]["width"], "height": 900})
    assert {path: problems for path, problems in found.items() if problems} == {}
