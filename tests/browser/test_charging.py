"""The line to the chargers' cloud through outage and recovery, on an open page; and the pages of charging in all looks."""

import json
import re
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
from tests.browser.test_pages import AXE, LOOKS, TAGS
from tests.servers import wait_until

LIVE_MS = 20_000
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
)


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
        hub.client("jobs:create").made("/api/cvepro/imports", {"from": "2026-11-01"})
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


@pytest.mark.parametrize("look", LOOKS, ids=[name for name, _ in LOOKS])
def test_its_pages_are_whole_and_can_be_used_by_all(
    look: tuple[str, dict[str, Any]], open_context: OpenContext, charging: Charging
) -> None:
    page = open_context(**look[1]).new_page()
    sign_in(page, charging.hub, ADMIN, PASSWORD)
    found: dict[str, Any] = {}
    for address in PAGES:
        answer = page.goto(charging.hub.url + address)
        problems = [] if answer and answer.status == 200 else [f"status {answer and answer.status}"]
        if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            problems.append("sticks out")
        found[address] = problems + violations(page)
    assert {address: problems for address, problems in found.items() if problems} == {}


def violations(page: Page) -> list[str]:
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate(f"axe.run(document, {json.dumps({'runOnly': TAGS})})")["violations"]
    return [f"{each['id']}: {each['nodes'][0]['html'][:120]}" for each in found]
