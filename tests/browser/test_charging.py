"""The line to the chargers' cloud through outage and recovery, on an open page; and the pages of charging in all looks."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect

from atalaia_simulators.cvepro import InThread
from tests.acceptance.calls import Client
from tests.acceptance.hub import ADMIN, PASSWORD, Hub
from tests.acceptance.test_charging import settings_for
from tests.browser.conftest import OpenContext, press_and_agree, settle, sign_in
from tests.browser.test_pages import AXE, FOR_ALL, LOOKS, TAGS, WIDTHS
from tests.servers import wait_until

LIVE_MS = 60_000
PAGES = (
    "/cvepro",
    "/cvepro?state=charging",
    "/cvepro/chargers/CVE-003",
    "/cvepro/chargers/CVE-005",
    "/cvepro/sessions",
    "/cvepro/sessions?state=doubtful",
    "/cvepro/reports",
    "/cvepro/reports/upload",
    "/cvepro/history",
    "/cvepro/usage",
    "/cvepro/tariffs",
    "/cvepro/tariffs/new",
)
TARIFF = {
    "first_day": "2026-01-01",
    "terms": {
        "price_micros": 900_000,
        "bands": [{"name": "Night", "from": "23:00", "until": "06:00", "price_micros": 650_000}],
        "idle_fee_micros": 100_000,
        "idle_grace_min": 15,
    },
}


# In a month that is over where the chargers are: nothing is added to it while somebody looks.
HISTORY_FROM = datetime.now(ZoneInfo("America/Sao_Paulo")).date().replace(day=1) - timedelta(days=5)
OVER = f"{HISTORY_FROM:%Y-%m}"


@dataclass
class Charging:
    hub: Hub
    vendor: Client

    def fault(self, **faults: Any) -> None:
        assert self.vendor.post("/_sim/faults", faults).status == 200


@pytest.fixture(scope="module")
def charging(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Charging]:
    simulator = InThread()
    simulator.start()
    env = {**settings_for(simulator.url), "ATALAIA_CVEPRO_SESSIONS_EVERY_S": "1"}
    hub = Hub(tmp_path_factory.mktemp("charging"), env=env)
    try:
        hub.start()
        hub.make_admin()
        made = Charging(hub, Client(simulator.url))
        made.fault(faulted=["CVE-003"], silent=["CVE-007"])
        hub.client("jobs:create").made("/api/cvepro/imports", {"from": HISTORY_FROM.isoformat()})
        hub.client("write").made("/api/cvepro/tariffs", TARIFF)
        reader = hub.client("read")
        wait_until(lambda: len(reader.get("/api/dashboard/chargers").json["data"]) == 20, what="the first reading")
        wait_until(
            lambda: reader.get("/api/cvepro/imports").json["items"][0]["found"] > 0,
            what="the first days of the history",
        )
        yield made
    finally:
        hub.close()
        simulator.close()


def test_the_line_says_how_it_stands_through_outage_and_recovery(charging: Charging, open_context: OpenContext) -> None:
    page = open_context().new_page()
    sign_in(page, charging.hub, ADMIN, PASSWORD)
    page.goto(f"{charging.hub.url}/cvepro")
    page.evaluate("window.isSamePage = true")
    line = page.locator("#line [role=status]")
    expect(line).to_have_text(re.compile("^Online$"), timeout=LIVE_MS)
    expect(page.locator("#cards section.card")).to_have_count(20)
    charging.fault(login_status=502, expire_token=True)
    expect(line).to_have_text(re.compile("Connecting…|Offline since"), timeout=LIVE_MS)
    expect(line).to_have_text(re.compile(r"Offline since \d"), timeout=LIVE_MS)
    expect(page.locator("#cards")).to_contain_text("What you see is the last good data")
    expect(page.locator("#cards section.card")).to_have_count(20)
    charging.fault(login_status=None)
    expect(line).to_have_text(re.compile("^Online$"), timeout=LIVE_MS)
    expect(page.locator("#cards")).not_to_contain_text("last good data")
    assert page.evaluate("window.isSamePage === true")


def test_a_tariff_is_tried_out_before_it_is_saved_and_taken_back(charging: Charging, open_context: OpenContext) -> None:
    page = open_context(width=360).new_page()
    sign_in(page, charging.hub, ADMIN, PASSWORD)
    page.goto(f"{charging.hub.url}/cvepro/tariffs/new")
    expect(page.locator("[name=band0_name]")).to_have_value("Night")
    page.fill("[name=price]", "1.05")
    page.click("button[value=preview]")
    preview = page.locator("#preview")
    expect(preview).to_contain_text("24 kWh")
    expect(preview).to_contain_text("Under this tariff")
    page.click("button[value=more]")
    expect(page.locator("[name=band7_name]")).to_be_visible()
    for name, text in (("name", "Peak"), ("from", "18:00"), ("until", "21:00"), ("price", "1.85")):
        page.fill(f"[name=band6_{name}]", text)
    page.fill("[name=first_day]", "2096-02-01")
    page.press("[name=band6_price]", "Enter")
    page.wait_for_url(f"{charging.hub.url}/cvepro/tariffs")
    ahead = page.locator("section.tariff").first
    expect(ahead).to_contain_text("Ahead")
    expect(ahead).to_contain_text("Peak")
    expect(ahead).to_contain_text("R$ 1.8500")
    press_and_agree(ahead.get_by_role("button", name="Delete"))
    expect(page.locator("section.tariff")).to_have_count(1)


def test_the_usage_of_a_month_leads_to_its_sessions_with_the_same_sums(
    charging: Charging, open_context: OpenContext
) -> None:
    page = open_context().new_page()
    sign_in(page, charging.hub, ADMIN, PASSWORD)
    page.goto(f"{charging.hub.url}/cvepro/usage")
    bars = page.locator("figure:has(.bars-plot)").first.locator("li")
    expect(bars).to_have_count(12)
    expect(page.locator("figure.heat tbody td")).to_have_count(7 * 24)
    reader = charging.hub.client("read")
    wait_until(
        lambda: reader.get("/api/cvepro/imports").json["items"][0]["state"] == "done",
        what="the whole history",
        timeout_s=120,
    )
    bars.locator(f"a[href*='month={OVER}']").click()
    page.wait_for_url(re.compile(f"month={OVER}"))
    row = page.locator("tr[data-key]").first
    flat = row.locator("a").inner_text()
    sums = [re.split(r"\n| doubtful", text)[0] for text in row.locator("td.num").all_inner_texts()]
    row.locator("a").click()
    stats = page.locator("#session-rows dl.stats dd")
    expect(stats.nth(0)).to_have_text(sums[0])
    expect(stats.nth(1)).to_have_text(sums[1])
    expect(page.locator("#session-rows")).to_contain_text(sums[2])
    expect(page.locator("#session-rows tbody")).to_contain_text(flat)


@pytest.mark.timeout(900)  # ten pages with all their rules, on a busy machine
@pytest.mark.parametrize("look", [look for look in LOOKS if look[0] in FOR_ALL], ids=FOR_ALL)
def test_its_pages_are_whole_and_can_be_used_by_all(
    look: tuple[str, dict[str, Any]], open_context: OpenContext, charging: Charging
) -> None:
    page = open_context(**look[1]).new_page()
    sign_in(page, charging.hub, ADMIN, PASSWORD)
    found: dict[str, Any] = {}
    for address in PAGES:
        answer = page.goto(charging.hub.url + address)
        problems = [] if answer and answer.status == 200 else [f"status {answer and answer.status}"]
        found[address] = [*problems, *violations(page), *sticking_out(page, look[1]["width"])]
    assert {address: problems for address, problems in found.items() if problems} == {}


def sticking_out(page: Page, own_width: int) -> list[str]:
    """At either width: how wide texts are depends on the language, and not on the theme."""
    found = []
    for width in (WIDTHS[own_width], own_width):
        page.set_viewport_size({"width": width, "height": 900})
        if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            found.append(f"sticks out at {width} px")
    return found


def violations(page: Page) -> list[str]:
    settle(page)
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate(f"axe.run(document, {json.dumps({'runOnly': TAGS})})")["violations"]
    return [f"{each['id']}: {each['nodes'][0]['html'][:120]}" for each in found]
