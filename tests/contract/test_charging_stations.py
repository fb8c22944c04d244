"""Stations over HTTP: let in, refused, given passwords, forgotten; a hub that has these and no cloud, or both."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from atalaia.access.service.keys import create_key
from atalaia.app.hub import Hub
from atalaia.core.clock import SystemClock
from atalaia.core.permissions import SYSTEM, Role
from atalaia.integrations.cvepro.model.sessions import Session
from atalaia.integrations.cvepro.model.stations import Admission
from atalaia.integrations.cvepro.model.transactions import Transaction, ended
from atalaia.integrations.cvepro.queries import stations, transactions
from atalaia.integrations.cvepro.service.keeping import keep_sessions
from atalaia.sdk.transaction import Tx
from tests.contract.access_site import Browser
from tests.contract.hub_site import visit_hub
from tests.contract.test_charging_residents import with_key

BASE = "/api/cvepro/stations"
BEGAN = datetime(2026, 1, 10, 18, tzinfo=UTC)


def test_a_station_is_added_admitted_refused_and_forgotten_by_key(tmp_path: Path) -> None:
    async def visit(client: httpx.AsyncClient) -> None:
        made = await client.post(BASE, json={"chargeBoxId": " CP+17 "})
        assert made.status_code == 201, made.text
        told = made.json()
        assert (told["chargeBoxId"], told["standing"], told["has_password"]) == ("CP+17", "admitted", True)
        assert len(told["password"]) == 40
        assert made.headers["cache-control"] == "no-store"
        assert (await client.post(BASE, json={"chargeBoxId": "CP+17"})).status_code == 409

        one = f"{BASE}/CP%2B17"
        renewed = (await client.post(f"{one}/password")).json()
        assert renewed["password"] != told["password"]
        refused = (await client.post(f"{one}/refuse")).json()
        assert (refused["standing"], "password" in refused) == ("refused", False)
        open_ = (await client.post(f"{one}/admit", json={"with_password": False})).json()
        assert (open_["standing"], open_["has_password"], "password" in open_) == ("admitted", False, False)
        again = (await client.post(f"{one}/admit")).json()
        assert (again["has_password"], len(again["password"])) == (True, 40)

        listed = (await client.get(BASE)).json()["items"]
        assert [(each["chargeBoxId"], "password" in each) for each in listed] == [("CP+17", False)]
        assert (await client.delete(one)).status_code == 204
        assert (await client.get(BASE)).json()["items"] == []

    with_key(tmp_path, "write", visit)


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "field"),
    [
        ("POST", "", {"chargeBoxId": "two words"}, 422, "chargeBoxId"),
        ("POST", "", {"chargeBoxId": 7}, 422, "chargeBoxId"),
        ("POST", "", {"chargeBoxId": "CP-1", "x": 1}, 422, "body"),
        ("POST", "/NO-1/admit", {}, 404, None),
        ("POST", "/NO-1/refuse", None, 404, None),
        ("POST", "/NO-1/password", None, 404, None),
        ("DELETE", "/NO-1", None, 404, None),
    ],
    ids=str,
)
def test_what_is_wrong_is_named(
    tmp_path: Path, method: str, path: str, body: Any, status: int, field: str | None
) -> None:
    async def visit(client: httpx.AsyncClient) -> None:
        answer = await client.request(method, BASE + path, json=body)
        assert (answer.status_code, answer.json()["error"].get("field")) == (status, field), answer.text

    with_key(tmp_path, "write", visit)


def test_a_key_that_may_only_read_lets_nobody_in(tmp_path: Path) -> None:
    async def visit(client: httpx.AsyncClient) -> None:
        assert (await client.get(BASE)).status_code == 200
        for method, path in (("POST", ""), ("POST", "/A/admit"), ("POST", "/A/refuse"), ("DELETE", "/A")):
            assert (await client.request(method, BASE + path, json={})).status_code == 403

    with_key(tmp_path, "read", visit)


@pytest.mark.parametrize(("role", "begins"), [(Role.CLIENT, "/cvepro/mine"), (Role.COLLABORATOR, "/cvepro")])
def test_who_sees_dashboards_alone_begins_there_once_charging_is_in_use(
    tmp_path: Path, role: Role, begins: str
) -> None:
    async def visit(hub: Hub, browser: Browser) -> None:
        assert (await browser.get("/")).headers["location"] == "/account"
        await with_a_station(hub)
        assert (await browser.get("/")).headers["location"] == begins

    visit_hub(tmp_path, visit, role=role)


def test_a_hub_with_chargers_that_connect_straight_and_no_cloud_is_ready_on_the_settings_page(tmp_path: Path) -> None:
    async def visit(hub: Hub, browser: Browser) -> None:
        assert section(await browser.get("/settings")) == "Not configured"
        await with_a_station(hub)
        assert section(await browser.get("/settings")) == "Ready"

    visit_hub(tmp_path, visit)


async def with_a_station(hub: Hub) -> None:
    """Known to this process with its next look."""
    now = SystemClock().now()
    hub.store.write_now(lambda tx: stations.add(tx, "CP-1", Admission.ADMITTED, by="Ana", now=now))
    (look,) = (loop.run for part in hub.contributions for loop in part.loops if loop.name == "cvepro_standing")
    await look()


def section(page: httpx.Response) -> str:
    found = re.search(r'id="integrations\.cvepro".*?(Ready|Not configured|Failed)', page.text, re.DOTALL)
    assert found, page.text
    return found[1]


def told_twice(tx: Tx) -> None:
    """By the charger itself, with a meter, and by the vendor's cloud."""
    told = Transaction(box_id="CP-1", connector=1, told_at="-", start_wh=0, tag="T1", started_at=BEGAN)
    kept, _ = transactions.add(tx, told)
    own = ended(kept, at=BEGAN + timedelta(hours=1), stop_wh=5000, reason=None, idle_s=None)
    vendors = Session(
        id="77",
        box_id="CP-1",
        connector="1",
        started_at=BEGAN,
        stopped_at=BEGAN + timedelta(hours=1),
        energy_mwh=5_000_000,
        cost_micros=4_750_000,
    )
    keep_sessions(tx, [own], now=BEGAN)
    keep_sessions(tx, [vendors], now=BEGAN)


def test_what_is_told_twice_is_shown_once_and_parted_and_joined_on_the_page_and_by_key(tmp_path: Path) -> None:
    async def visit(hub: Hub, browser: Browser) -> None:
        hub.store.write_now(told_twice)
        assert rows(await browser.get("/cvepro/sessions")) == ["ocpp-1"]
        aside = await browser.get("/cvepro/sessions?state=aside")
        assert rows(aside) == ["77"]
        assert "ocpp-1 counts in its place" in aside.text
        done = await browser.post("/cvepro/sessions", {"do": "part", "id": "77"})
        assert (done.status_code, done.headers["location"]) == (303, "/cvepro/sessions?state=aside")
        assert sorted(rows(await browser.get("/cvepro/sessions"))) == ["77", "ocpp-1"]
        await browser.post("/cvepro/sessions", {"do": "join", "id": "77"})
        assert rows(await browser.get("/cvepro/sessions")) == ["ocpp-1"]
        refused = await browser.post("/cvepro/sessions", {"do": "join", "id": "77"})
        assert (refused.status_code, "Nobody said that this session is by itself" in refused.text) == (422, True)

        made = hub.store.write_now(lambda tx: create_key(tx, SYSTEM, name="k", scopes=["write"], now=BEGAN))
        headers = {"x-api-key": made.value}
        for method, status in (("PUT", 204), ("PUT", 404), ("DELETE", 204), ("DELETE", 404)):
            answer = await browser.client.request(method, "/api/cvepro/sessions/77/apart", headers=headers)
            assert answer.status_code == status, answer.text

    visit_hub(tmp_path, visit)


def rows(page: httpx.Response) -> list[str]:
    return re.findall(r'<tr data-key="([^"]+)"', page.text)


def test_health_has_the_checks_that_the_first_dashboards_users_know(tmp_path: Path) -> None:
    async def visit(_hub: Hub, browser: Browser) -> None:
        told = (await browser.client.get("/health")).json()
        assert {"status", "timestamp", "uptime", "checks"} <= told.keys()
        assert {name: told["checks"].get(name) for name in ("database", "cveApi", "evolutionApi")} == {
            "database": True,
            "cveApi": True,
            "evolutionApi": True,
        }

    visit_hub(tmp_path, visit)
