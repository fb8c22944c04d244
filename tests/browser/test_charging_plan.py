"""The plan of the chargers: by coordinates, then on a picture of the garage; placed by click, drag and keys; live."""

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import FilePayload, Page, expect

from atalaia_simulators.cvepro import InThread
from tests.acceptance.calls import Client
from tests.acceptance.hub import ADMIN, PASSWORD, Hub
from tests.acceptance.test_charging import settings_for
from tests.browser.conftest import OpenContext, sign_in
from tests.browser.test_charging import sticking_out, violations
from tests.browser.test_pages import FOR_ALL, LOOKS
from tests.servers import wait_until

LIVE_MS = 60_000
PAGES = ("/cvepro/plan", "/cvepro/plan?view=map", "/cvepro/plan/edit", "/cvepro/tags", "/cvepro/tags?give=04A00001")


def picture(width: int, height: int) -> FilePayload:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"".join(b"\0" + b"\xdd" * width for _ in range(height)))
    body = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    return {"name": "garage.png", "mimeType": "image/png", "buffer": body}


@dataclass
class Garage:
    hub: Hub
    vendor: Client

    def fault(self, **faults: Any) -> None:
        assert self.vendor.post("/_sim/faults", faults).status == 200

    def open(self, page: Page, path: str) -> None:
        sign_in(page, self.hub, ADMIN, PASSWORD)
        page.goto(self.hub.url + path)


@pytest.fixture(scope="module")
def garage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Garage]:
    simulator = InThread()
    simulator.start()
    live = f"ws{simulator.url.removeprefix('http')}/api/v1/live"
    env = settings_for(simulator.url, LIVE_URL=live, TAGS_PATH="tags", ACTIVE_PATH="transaction/active")
    hub = Hub(tmp_path_factory.mktemp("garage"), env=env)
    try:
        hub.start()
        hub.make_admin()
        made = Garage(hub, Client(simulator.url))
        made.fault(faulted=["CVE-003"])
        reader = hub.client("read")
        wait_until(lambda: len(reader.get("/api/dashboard/chargers").json["data"]) == 20, what="the first reading")
        yield made
    finally:
        hub.close()
        simulator.close()


def test_by_coordinates_it_is_live_and_each_mark_leads_to_its_charger(
    garage: Garage, open_context: OpenContext
) -> None:
    page = open_context().new_page()
    garage.open(page, "/cvepro/plan?view=map")
    expect(page.locator(".plane a.spot")).to_have_count(20)
    expect(page.locator("[data-how]")).to_have_text("live", timeout=LIVE_MS)
    mark = page.locator(".plane a.spot[data-key='CVE-005']")
    expect(page.locator(".plane a.spot[data-key='CVE-003']")).to_have_attribute("data-state", "down")
    garage.fault(faulted=["CVE-003", "CVE-005"])
    expect(mark).to_have_attribute("data-state", "down", timeout=LIVE_MS)
    garage.fault(faulted=["CVE-003"])
    expect(mark).not_to_have_attribute("data-state", "down", timeout=LIVE_MS)
    mark.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/cvepro/chargers/CVE-005")


def near(percent: int) -> "re.Pattern[str]":
    """A point on a screen is some tenths of a percent wide."""
    return re.compile(rf"^({percent}(\.[0-3])?|{percent - 1}\.[7-9])$")


def test_chargers_are_placed_on_a_picture_by_click_by_drag_and_by_keys(
    garage: Garage, open_context: OpenContext, complaints: list[str]
) -> None:
    page = open_context().new_page()
    garage.open(page, "/cvepro/plan/edit")
    page.set_input_files("#f-picture", {"name": "a.png", "mimeType": "image/png", "buffer": b"<svg/>"})
    page.get_by_role("button", name="Upload").click()
    expect(page.locator("main")).to_contain_text("neither a PNG nor a JPEG")
    complaints.clear()  # the browser writes down that a form was refused
    page.set_input_files("#f-picture", picture(80, 40))
    page.get_by_role("button", name="Upload").click()
    expect(page.locator("[data-with-script]").first).to_be_visible()  # a click is heard from now on
    plane = page.locator("[data-plane]")
    box = plane.bounding_box()
    assert box is not None
    assert box["width"] / box["height"] == pytest.approx(2, rel=0.01)
    first, second = (page.locator(f"[data-place='CVE-00{n}'] input[type=number]") for n in (1, 2))
    page.mouse.click(box["x"] + box["width"] / 4, box["y"] + box["height"] / 2)
    expect(first.first).to_have_value(near(25))
    expect(first.last).to_have_value(near(50))
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(second.first).to_have_value(near(50))
    page.locator("[data-spot='CVE-001']").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowUp")
    expect(first.first).to_have_value(near(26))
    expect(first.last).to_have_value(re.compile(r"^(49\.[5-9]|50)"))
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + box["height"] / 4, steps=4)
    page.mouse.up()
    expect(second.first).to_have_value(near(75))
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/cvepro/plan")
    expect(page.locator(".plane image")).to_have_count(1)
    spots = {each.get_attribute("data-key") for each in page.locator(".plane a.spot").all()}
    assert spots == {"CVE-001", "CVE-002"}
    expect(page.locator("#places li")).to_have_count(20)
    page.get_by_role("link", name="By coordinates").click()
    expect(page.locator(".plane a.spot")).to_have_count(20)


def test_nobody_s_name_is_on_the_plan(garage: Garage, open_context: OpenContext) -> None:
    reader = garage.hub.client("read")
    page = open_context(width=360).new_page()
    garage.open(page, "/cvepro/plan?view=map")
    names = {
        each["usuarioAtual"] for each in reader.get("/api/dashboard/chargers").json["data"] if each["usuarioAtual"]
    }
    assert not [name for name in names if name in page.content()]


@pytest.mark.parametrize("look", [look for look in LOOKS if look[0] in FOR_ALL], ids=FOR_ALL)
def test_its_pages_are_whole_and_can_be_used_by_all(
    look: tuple[str, dict[str, Any]], open_context: OpenContext, garage: Garage
) -> None:
    page = open_context(**look[1]).new_page()
    sign_in(page, garage.hub, ADMIN, PASSWORD)
    found: dict[str, Any] = {}
    for address in PAGES:
        answer = page.goto(garage.hub.url + address)
        problems = [] if answer and answer.status == 200 else [f"status {answer and answer.status}"]
        found[address] = [*problems, *violations(page), *sticking_out(page, look[1]["width"])]
    assert {address: problems for address, problems in found.items() if problems} == {}
