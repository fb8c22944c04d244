"""The live connection of the chargers' cloud: what changes is there at once, its loss is told once and mended by itself."""

from collections.abc import Iterator
from typing import Any

import pytest

from atalaia_simulators.cvepro import InThread, Options
from tests.acceptance.calls import Client
from tests.acceptance.conftest import MakeHub
from tests.acceptance.hub import Hub
from tests.acceptance.test_charging import SETTINGS, settings_for
from tests.servers import wait_until
from tests.stopwatch import Stopwatch

BELL_S = 2.0  # from the beginning of a reading to that of the next, however often the doorbell rings
# Too long for anything here to be seen by polling.
SLOW = {"POLL_S": "30", "SESSIONS_EVERY_S": "30", "ALERT_AFTER_S": "1"}


@pytest.fixture
def vendor() -> Iterator[InThread]:
    simulator = InThread(Options(api_key=SETTINGS["API_KEY"], email=SETTINGS["EMAIL"], password=SETTINGS["PASSWORD"]))
    simulator.start()
    yield simulator
    simulator.close()


class Site:
    def __init__(self, hub: Hub, simulator: InThread) -> None:
        self.hub = hub
        self.reader = hub.client("read")
        self.vendor = Client(simulator.url)

    def fault(self, **faults: Any) -> None:
        assert self.vendor.post("/_sim/faults", faults).status == 200

    def connections(self) -> int:
        return int(self.vendor.made("/_sim/ring", {"times": 0})["connections"])

    def status_of(self, box_id: str) -> str:
        found = self.reader.get("/api/dashboard/chargers").json["data"]
        return next((each["statusConector"] for each in found if each["chargeBoxId"] == box_id), "none")

    def asked(self) -> list[float]:
        return [row["at"] for row in self.vendor.get("/_sim/log").json if row["path"].endswith("/chargepoints")]

    def incidents(self) -> list[tuple[str, bool]]:
        """Title, and whether it is over."""
        return [(each["title"], each["resolved_at"] is not None) for each in self.reader.items("/api/incidents")]


@pytest.fixture
def site(make_hub: MakeHub, vendor: InThread) -> Site:
    live = f"ws{vendor.url.removeprefix('http')}/api/v1/live"
    more = {**SLOW, "LIVE_URL": live, "TAGS_PATH": "tags", "ACTIVE_PATH": "transaction/active"}
    made = Site(make_hub(env=settings_for(vendor.url, **more)).start(), vendor)
    wait_until(lambda: made.connections() == 1, what="the live connection")
    wait_until(lambda: made.status_of("CVE-001") != "none", what="the first reading")
    return made


def test_what_changes_is_there_at_once_and_costs_one_reading_however_many_messages(site: Site) -> None:
    watch, asked = Stopwatch(), len(site.asked())
    site.fault(faulted=["CVE-004"])
    site.vendor.made("/_sim/ring", {"times": 50})
    wait_until(lambda: site.status_of("CVE-004") == "Faulted", what="the change")
    assert watch.took_s < 8 + watch.late_s, "not by polling"
    for _ in range(20):
        site.vendor.made("/_sim/ring", {"times": 20})
    before = len(site.asked())
    wait_until(lambda: len(site.asked()) > before, what="one more reading")
    asked = len(site.asked()) - asked
    assert asked <= watch.took_s / BELL_S + 2


@pytest.mark.parametrize("trouble", ["cut", "silent"])
def test_its_loss_is_told_once_and_it_comes_back_by_itself(site: Site, trouble: str) -> None:
    if trouble == "cut":
        site.fault(live_status=503, live_cut=True)
    else:
        site.fault(live_silent=True, live_status=503)
    title = "Live connection lost; polling goes on: CVE-Pro"
    wait_until(lambda: (title, False) in site.incidents(), what="the incident", timeout_s=90)
    found = site.reader.get("/api/dashboard/chargers").json
    assert "stale" not in found, "the chargers are read all the same"
    site.fault()
    wait_until(lambda: (title, True) in site.incidents(), what="its end", timeout_s=90)
    assert [name for name, _ in site.incidents()].count(title) == 1
    assert site.connections() == 1


def test_a_token_that_is_not_known_any_more_costs_one_login(site: Site) -> None:
    def logins() -> int:
        return sum(row["path"].endswith("/login") for row in site.vendor.get("/_sim/log").json)

    site.fault(expire_token=True, live_cut=True)
    wait_until(lambda: logins() > 1, what="a login")  # the former connection may be counted for a moment yet
    wait_until(lambda: site.connections() == 1, what="it is back", timeout_s=60)
    assert logins() == 2


def test_a_hub_that_ends_closes_it_and_a_new_one_opens_it_again(site: Site) -> None:
    site.hub.stop()
    wait_until(lambda: site.connections() == 0, what="it is closed")
    site.hub.start()
    wait_until(lambda: site.connections() == 1, what="it is open again", timeout_s=60)
