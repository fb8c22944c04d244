"""Reports in a browser: ordered, watched without a reload until they are there, downloaded; one brought from elsewhere."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from atalaia.cli.stores import opened_store
from tests import pdf_text
from tests.acceptance.hub import ADMIN, PASSWORD, Hub
from tests.browser.conftest import OpenContext, press_and_agree, sign_in
from tests.browser.test_charging import violations
from tests.charging_house import House

HREF = "/cvepro/reports"
NARROW = 360
DONE_MS = 240_000


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    hub = Hub(tmp_path_factory.mktemp("reports"), env={"ATALAIA_CVEPRO_REPORT_LOCALE": "en"})
    try:
        hub.start()
        hub.make_admin()
        with opened_store(hub.data_dir, None) as store:
            store.write_now(House(24, 200).furnish)
        yield hub
    finally:
        hub.close()


def opened(open_context: OpenContext, house: Hub, address: str = HREF, *, width: int = 1280) -> Page:
    page = open_context(width=width).new_page()
    sign_in(page, house, ADMIN, PASSWORD)
    page.goto(house.url + address)
    return page


def test_a_month_is_made_watched_and_downloaded(house: Hub, open_context: OpenContext, tmp_path: Path) -> None:
    page = opened(open_context, house)
    expect(page.locator("#report-rows")).to_contain_text("No reports yet")
    page.fill("#f-month", "2026-10")
    page.get_by_role("button", name="Make").click()
    page.wait_for_url(re.compile("month=2026-10"))
    page.evaluate("window.isSamePage = true")
    order = page.locator("[data-order]")
    expect(order).to_contain_text("Oct 2026")
    expect(order).to_have_attribute("data-status", "completed", timeout=DONE_MS)
    expect(page.locator("tr[data-key]")).to_have_count(25)
    assert page.evaluate("window.isSamePage === true")
    with page.expect_download() as started:
        page.locator("tr[data-key='101'] a", has_text="PDF").click()
    assert started.value.suggested_filename == "Charging 2026-10 flat 101.pdf"
    started.value.save_as(tmp_path / "paper.pdf")
    assert "Charging of flat 101" in pdf_text.pages((tmp_path / "paper.pdf").read_bytes())[0]


def test_one_flat_is_asked_for_by_its_number(house: Hub, open_context: OpenContext, complaints: list[str]) -> None:
    page = opened(open_context, house)
    flat = page.locator("#f-flat")
    expect(flat).to_be_hidden()
    page.select_option("#f-which", "flat")
    flat.fill("9999")
    page.get_by_role("button", name="Make").click()
    expect(page.locator("#e-flat")).to_contain_text("Nobody lives in 9999")
    expect(page.locator("#f-which")).to_have_value("flat")
    complaints.clear()  # the browser's own word about 422


@pytest.mark.parametrize("width", [1280, NARROW])
def test_one_from_elsewhere_is_kept_beside_and_deleted(
    house: Hub, open_context: OpenContext, tmp_path: Path, complaints: list[str], width: int
) -> None:
    (tmp_path / "luz.pdf").write_bytes(b"%PDF-1.7 a bill")
    (tmp_path / "luz.exe").write_bytes(b"MZ a program")
    page = opened(open_context, house, f"{HREF}/upload?month=2026-09", width=width)
    for name in ("luz.exe", "luz.pdf"):
        page.set_input_files("#f-file", tmp_path / name)
        page.fill("#f-flat", "101")
        page.get_by_role("button", name="Upload").click()
        if name == "luz.exe":
            expect(page.locator("#e-file")).to_contain_text("This is no PDF")
            expect(page.locator("#f-flat")).to_have_value("101")
            complaints.clear()  # the browser's own word about 422
    page.wait_for_url(re.compile("month=2026-09"))
    row = page.locator("tr[data-key]", has_text="luz")
    expect(row).to_have_count(1)
    assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    assert violations(page) == []
    press_and_agree(row.get_by_role("button", name="Delete"))
    expect(page.locator("tr[data-key]", has_text="luz")).to_have_count(0)
