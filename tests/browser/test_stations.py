"""A charger that connects straight: let in by page with a password, its life on the live page, stopped from its own page."""

import asyncio
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from websockets.exceptions import InvalidStatus

from atalaia_simulators.chargepoint import InThread, Options
from tests.acceptance.calls import Client
from tests.acceptance.hub import ADMIN, PASSWORD, Hub
from tests.browser.conftest import OpenContext, press_and_agree, sign_in
from tests.browser.test_charging import sticking_out, violations
from tests.browser.test_pages import FOR_ALL, LOOKS
from tests.ocpp_box import plugged_in

LIVE_MS = 60_000
TAG = "04A21B3C"
PAGES = ("/cvepro", "/cvepro/stations", "/cvepro/chargers/SIM-001")


@dataclass
class Garage:
    hub: Hub
    admin: Client
    passwords: dict[str, str] = field(default_factory=dict)


@pytest.fixture(scope="module")
def garage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Garage]:
    """Without the vendor's cloud; whoever calls waits to be let in."""
    hub = Hub(tmp_path_factory.mktemp("garage"))
    try:
        hub.start()
        hub.make_admin()
        admin = hub.client("admin")
        admin.made("/api/cvepro/residents", {"name": "Ana Souza", "flat": "101", "tags": [TAG]})
        yield Garage(hub, admin)
    finally:
        hub.close()


@contextmanager
def plugged(garage: Garage, box_id: str, **options: Any) -> Iterator[None]:
    given = {"scale": 60.0, "meter_s": 60.0, "pause_s": 0.0, "need_wh": 50_000.0, **options}
    box = InThread(Options(url=garage.hub.url, box_id=box_id, tag=TAG, **given))
    box.start()
    try:
        yield
    finally:
        box.close()


def added_by_page(page: Page, garage: Garage, box_id: str) -> str:
    """Its password, as the page shows it once."""
    page.goto(f"{garage.hub.url}/cvepro/stations")
    form = page.locator("form:has(input[value='add'])")
    form.locator("#f-box_id").fill(box_id)
    form.locator("button[type=submit]").click()
    shown = page.locator("#station-password")
    expect(shown).to_be_visible()
    return shown.input_value()


def refused_with(garage: Garage, box_id: str, password: str | None) -> int | None:
    async def call() -> int | None:
        try:
            async with plugged_in(garage.hub.url, box_id, password=password):
                return None
        except InvalidStatus as error:
            return error.response.status_code

    with ThreadPoolExecutor(1) as beside:  # the browser has a loop in this thread
        return beside.submit(lambda: asyncio.run(call())).result()


def test_a_password_that_was_shown_once_lets_it_in_and_no_other(garage: Garage, open_context: OpenContext) -> None:
    page = open_context().new_page()
    sign_in(page, garage.hub, ADMIN, PASSWORD)
    password = added_by_page(page, garage, "BOX-7")
    assert re.fullmatch("[0-9a-f]{40}", password)
    for wrong in (None, "wrong", password.upper()):
        assert refused_with(garage, "BOX-7", wrong) == 401
    assert refused_with(garage, "BOX-7", password) is None
    page.goto(f"{garage.hub.url}/cvepro/stations")
    expect(page.locator("tr[data-key='BOX-7']")).to_be_visible()
    assert password not in page.content()


def test_wrong_passwords_are_counted(garage: Garage, open_context: OpenContext) -> None:
    page = open_context().new_page()
    sign_in(page, garage.hub, ADMIN, PASSWORD)
    added_by_page(page, garage, "BOX-8")
    assert [refused_with(garage, "BOX-8", "wrong") for _ in range(2)] == [401, 401]
    page.goto(f"{garage.hub.url}/cvepro/stations")
    expect(page.locator("tr[data-key='BOX-8']")).to_contain_text("2 wrong passwords", timeout=LIVE_MS)


def test_a_charger_waits_is_let_in_charges_and_is_stopped_from_its_page(
    garage: Garage, open_context: OpenContext
) -> None:
    page = open_context().new_page()
    sign_in(page, garage.hub, ADMIN, PASSWORD)
    page.goto(f"{garage.hub.url}/cvepro/stations")
    with plugged(garage, "SIM-002"):
        row = page.locator("tr[data-key='SIM-002']")
        expect(row).to_contain_text("Waits to be let in", timeout=LIVE_MS)
        press_and_agree(row.get_by_role("button", name="Let in without"))
        expect(row).to_contain_text("Connected", timeout=LIVE_MS)
    with plugged(garage, "SIM-002"):
        page.goto(f"{garage.hub.url}/cvepro")
        card = page.locator("section.card[data-key='SIM-002']")
        expect(card).to_contain_text("Charging", timeout=LIVE_MS)
        expect(card).to_contain_text("Ana Souza", timeout=LIVE_MS)
        expect(page.locator("#line")).to_have_count(0)  # there is no cloud, and none is missed
        page.goto(f"{garage.hub.url}/cvepro/chargers/SIM-002")
        press_and_agree(page.locator("#commands").get_by_role("button", name="Stop charging"))
        given = page.locator("#commands-given li").first
        expect(given).to_contain_text("Accepted", timeout=LIVE_MS)
        expect(given).to_contain_text("Stop charging")
        expect(page.locator("#charger")).to_contain_text("Latest sessions", timeout=LIVE_MS)


@pytest.mark.parametrize("look", [look for look in LOOKS if look[0] in FOR_ALL], ids=FOR_ALL)
def test_its_pages_are_whole_and_can_be_used_by_all(
    look: tuple[str, dict[str, Any]], open_context: OpenContext, garage: Garage
) -> None:
    page = open_context(**look[1]).new_page()
    sign_in(page, garage.hub, ADMIN, PASSWORD)
    if "SIM-001" not in garage.passwords:
        garage.passwords["SIM-001"] = added_by_page(page, garage, "SIM-001")
    found: dict[str, Any] = {}
    with plugged(garage, "SIM-001", password=garage.passwords["SIM-001"]):
        page.goto(f"{garage.hub.url}/cvepro/stations")
        expect(page.locator("tr[data-key='SIM-001'][data-state='up']")).to_be_visible(timeout=LIVE_MS)
        for address in PAGES:
            answer = page.goto(garage.hub.url + address)
            problems = [] if answer and answer.status == 200 else [f"status {answer and answer.status}"]
            found[address] = [*problems, *violations(page), *sticking_out(page, look[1]["width"])]
    assert {address: problems for address, problems in found.items() if problems} == {}
