"""The texts of the notices are written with a preview beside them; what residents were told comes by itself."""

import re
from collections.abc import Iterator
from itertools import count

import pytest
from playwright.sync_api import expect

from atalaia_simulators.cvepro import InThread as Vendor
from atalaia_simulators.cvepro.site import Options
from atalaia_simulators.evolution import InThread as Evolution
from tests.acceptance.calls import Client
from tests.acceptance.hub import ADMIN, PASSWORD, Hub
from tests.acceptance.test_charging_notices import ANA, House, environment, is_quiet
from tests.browser.conftest import OpenContext, sign_in
from tests.browser.test_charging import violations
from tests.unit.simulators.evolution.phone import Phone

LIVE_MS = 60_000
RECORD, TEXTS = "/cvepro/notices", "/cvepro/notices/words"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    vendor, phones = Vendor(Options(seed=next(filter(is_quiet, count(7))))), Evolution()
    vendor.start()
    phones.start()
    there, phone = Client(vendor.url), Phone(phones.url)
    hub = Hub(tmp_path_factory.mktemp("notices"), env=environment(there, phone))
    try:
        hub.start()
        hub.make_admin()
        yield House(hub, there, phone)
    finally:
        hub.close()
        vendor.close()
        phones.close()


def test_a_text_is_written_with_a_preview_tried_and_told(house: House, open_context: OpenContext) -> None:
    page = open_context(width=360).new_page()
    sign_in(page, house.hub, ADMIN, PASSWORD)
    page.goto(f"{house.hub.url}{TEXTS}")
    preview, field = page.locator("#preview-started"), page.locator("#f-text-started")
    expect(preview).to_have_text(re.compile(r"Olá, Ana! Sua recarga em Vaga 12"))
    field.fill("Oi {oops}")
    expect(preview).to_contain_text("There is no variable {oops} here")
    field.fill("Oi, {first_name}: {charger}, desde {since}")
    expect(preview).to_have_text(re.compile(r"^\s*Oi, Ana: Vaga 12, desde 19:10\s*$"))
    page.locator("#started button[value=save]").click()
    expect(page.locator("#started")).to_contain_text("your own text")
    page.locator("#test select").select_option("started")
    page.locator("#f-phone").fill("(11) 91234-5678")
    page.locator("#test button[value=test]").click()
    page.wait_for_url(f"{house.hub.url}{RECORD}")
    expect(page.locator("tr[data-fate=delivered]")).to_have_count(1, timeout=LIVE_MS)
    house.session(900_001)
    expect(page.locator("tr[data-fate=delivered]")).to_have_count(2, timeout=LIVE_MS)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    tried, told = house.heard(ANA)
    assert tried == "Oi, Ana: Vaga 12, desde 19:10"
    assert told.startswith("Oi, Ana: Vaga 04, desde ")
    page.locator("select[name=kind]").select_option("ended")
    expect(page.locator("#notice-rows")).to_contain_text("No notice is like that")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_can_be_used_by_all(house: House, open_context: OpenContext, scheme: str) -> None:
    page = open_context(color_scheme=scheme, locale="pt-BR").new_page()
    sign_in(page, house.hub, ADMIN, PASSWORD)
    for path in (RECORD, TEXTS, f"{TEXTS}?language=en"):
        page.goto(house.hub.url + path)
        assert violations(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= 1280
