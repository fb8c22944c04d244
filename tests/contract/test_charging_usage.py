"""Tariffs, usage and occupancy over HTTP: the API in its own words, the file for spreadsheets, the pages and who may see them."""

import csv
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from atalaia.app.hub import Hub
from atalaia.core.permissions import Role
from atalaia.integrations.cvepro.model.chargers import Charger, Connector
from atalaia.integrations.cvepro.model.sessions import Session
from atalaia.integrations.cvepro.service.keeping import keep_chargers, keep_sessions
from atalaia.sdk.transaction import Tx
from tests.contract.access_site import Browser
from tests.contract.hub_site import visit_hub
from tests.contract.test_charging_residents import with_key

TERMS = {"price_micros": 1_000_000, "idle_fee_micros": 100_000}
# 2026-01-31 23:30 in São Paulo: the last evening of January there, February in UTC.
LATE = datetime(2026, 2, 1, 2, 30, tzinfo=UTC)
SPAN = "from=2026-01-01&until=2026-01-31"


def keep(tx: Tx) -> None:
    plug = Connector(pk="1", number="1", power_max_w=7400)
    keep_chargers(tx, [Charger(key="CVE-1", box_id="CVE-1", description="Vaga 1", connectors=(plug,))], now=LATE)
    found = [
        Session(
            id=str(number),
            box_id="CVE-1",
            connector="1",
            flat=flat,
            started_at=LATE + timedelta(hours=2 * number),
            stopped_at=LATE + timedelta(hours=2 * number + 1),
            energy_mwh=5_000_000,
            idle_s=120.0,
            cost_micros=7_777_777,
        )
        for number, flat in enumerate(["=1+1", None, "101"])
    ]
    keep_sessions(tx, found, now=LATE)


async def kept(client: httpx.AsyncClient) -> dict[str, Any]:
    answer = await client.post("/api/cvepro/tariffs", json={"first_day": "2026-01-01", "terms": TERMS})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_tariff_is_made_listed_and_stays_where_a_month_went_by_it(tmp_path: Path) -> None:
    async def visit(client: httpx.AsyncClient) -> None:
        made = await kept(client)
        (shown,) = (await client.get("/api/cvepro/tariffs")).json()["items"]
        assert {name: shown[name] for name in made if name != "created_at"} == {
            name: made[name] for name in made if name != "created_at"
        }
        assert (shown["last_day"], shown["is_in_force"], shown["can_be_deleted"]) == (None, True, True)
        assert (await client.delete(f"/api/cvepro/tariffs/{made['id']}")).status_code == 204
        assert (await client.delete(f"/api/cvepro/tariffs/{made['id']}")).status_code == 404

    with_key(tmp_path, "write", visit)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"first_day": "soon", "terms": TERMS}, "first_day"),
        ({"first_day": "2026-01-01", "terms": {}}, "terms"),
        ({"first_day": "2026-01-01", "terms": {"price_micros": -1}}, "price_micros"),
        ({"first_day": "2026-01-01", "terms": {"price_micros": 1.5}}, "terms.price_micros"),
        ({"first_day": "2026-01-01", "terms": {**TERMS, "bandz": []}}, "terms"),
        (
            {
                "first_day": "2026-01-01",
                "terms": {
                    **TERMS,
                    "bands": [
                        {"name": "a", "from": "18:00", "until": "21:00", "price_micros": 1},
                        {"name": "b", "from": "20:00", "until": "22:00", "price_micros": 1},
                    ],
                },
            },
            "bands[1].from",
        ),
    ],
    ids=str,
)
def test_what_is_wrong_is_named_and_nothing_is_kept(tmp_path: Path, body: dict[str, Any], field: str) -> None:
    async def visit(client: httpx.AsyncClient) -> None:
        answer = await client.post("/api/cvepro/tariffs", json=body)
        assert (answer.status_code, answer.json()["error"]["field"]) == (422, field)
        assert (await client.get("/api/cvepro/tariffs")).json()["items"] == []

    with_key(tmp_path, "write", visit)


def test_usage_goes_by_the_zone_that_is_asked_for_and_its_totals_are_the_sums_of_its_rows(tmp_path: Path) -> None:
    async def visit(hub: Hub, browser: Browser) -> None:
        hub.store.write_now(keep)
        client = browser.client
        told = (await client.get(f"/api/cvepro/usage?{SPAN}&by=flat")).json()
        assert told["timezone"] == "America/Sao_Paulo"
        assert [(row["flat"], row["sessions"], row["cost_micros"]) for row in told["items"]] == [("=1+1", 1, 7_780_000)]
        assert told["totals"]["energy_mwh"] == 5_000_000
        elsewhere = (await client.get(f"/api/cvepro/usage?{SPAN}&by=flat&timezone=UTC")).json()
        assert elsewhere["items"] == []
        months = (await client.get("/api/cvepro/usage?from=2026-01-01&until=2026-02-28")).json()
        assert [(row["month"], row["sessions"]) for row in months["items"]] == [("2026-01", 1), ("2026-02", 2)]
        assert months["totals"]["sessions"] == 3
        chargers = (await client.get("/api/cvepro/usage?from=2026-01-01&until=2026-02-28&by=charger")).json()
        assert [(row["charger"], row["name"], row["idle_s"]) for row in chargers["items"]] == [("CVE-1", "Vaga 1", 360)]
        for wrong, field in (
            ("by=year", "by"),
            ("from=2026-13-01", "from"),
            ("timezone=Moon", "timezone"),
            ("from=9999-01-01", "from"),
        ):
            answer = await client.get(f"/api/cvepro/usage?{wrong}")
            assert (answer.status_code, answer.json()["error"]["field"]) == (422, field)

    visit_hub(tmp_path, visit)


def test_the_file_is_read_by_spreadsheets_and_runs_no_formula(tmp_path: Path) -> None:
    async def visit(hub: Hub, browser: Browser) -> None:
        hub.store.write_now(keep)
        address = "/api/cvepro/usage.csv?from=2026-01-01&until=2026-02-28&by=flat"
        answer = await browser.client.get(address, headers={"accept-language": "pt-BR"})
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert "attachment" in answer.headers["content-disposition"]
        rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig")), delimiter=";"))
        assert rows[0][:4] == ["flat", "sessions", "energy_kwh", "cost"]
        assert [row[:4] for row in rows[1:]] == [
            ["101", "1", "5,000000", "7,78"],
            ["'=1+1", "1", "5,000000", "7,78"],
            ["", "1", "5,000000", "7,78"],
        ]

    visit_hub(tmp_path, visit)


def test_occupancy_says_in_which_hours_connectors_were_in_use(tmp_path: Path) -> None:
    async def visit(hub: Hub, browser: Browser) -> None:
        hub.store.write_now(keep)
        told = (await browser.client.get("/api/cvepro/occupancy?from=2026-01-31&until=2026-02-01")).json()
        assert (told["connectors"], len(told["hours"]), [len(day) for day in told["weekdays"]]) == (1, 24, [24] * 7)
        saturday = told["weekdays"][5]
        assert saturday[23] == {"share": 0.5, "in_use_s": 1800, "connector_s": 3600}
        assert told["hours"][0]["in_use_s"] == 1800
        assert told["weekdays"][0][12]["share"] is None
        assert told["whole"]["in_use_s"] == 3 * 3600

    visit_hub(tmp_path, visit)


PAGES = (
    "/cvepro/usage",
    "/cvepro/usage?month=2026-02",
    "/cvepro/tariffs",
    "/cvepro/tariffs/rows",
    "/cvepro/tariffs/new",
)
ROUTES = ("/api/cvepro/tariffs", "/api/cvepro/usage", "/api/cvepro/usage.csv", "/api/cvepro/occupancy")


@pytest.mark.parametrize(
    ("role", "status"), [(Role.ADMIN, 200), (Role.MANAGER, 200), (Role.COLLABORATOR, 403), (Role.CLIENT, 403)]
)
def test_who_may_see_the_overview_sees_them(tmp_path: Path, role: Role, status: int) -> None:
    async def visit(hub: Hub, browser: Browser) -> None:
        hub.store.write_now(keep)
        found = {address: (await browser.client.get(address)).status_code for address in (*PAGES, *ROUTES)}
        assert found == dict.fromkeys(found, status)
        made = await browser.client.post("/api/cvepro/tariffs", json={"first_day": "2026-03-01", "terms": TERMS})
        assert made.status_code != 201, "a session's POST has the form's proof"

    visit_hub(tmp_path, visit, role=role)


def test_a_month_that_cannot_be_is_said_and_this_one_shown(tmp_path: Path) -> None:
    async def visit(hub: Hub, browser: Browser) -> None:  # noqa: ARG001 - a visit's form
        for month in ("2026-13", "x", "2026-00", "٢٠٢٦-٠١"):
            answer = await browser.client.get(f"/cvepro/usage?month={month}")
            assert answer.status_code == 200
            assert "a month as 2026-01" in answer.text
        for month in ("2000-01", "2099-12"):
            assert (await browser.client.get(f"/cvepro/usage?month={month}")).status_code == 200

    visit_hub(tmp_path, visit)


def test_reading_keys_write_no_tariffs(tmp_path: Path) -> None:
    async def visit(client: httpx.AsyncClient) -> None:
        assert (await client.get("/api/cvepro/usage")).status_code == 200
        refused = await client.post("/api/cvepro/tariffs", json={"first_day": "2026-01-01", "terms": TERMS})
        assert refused.status_code == 403

    with_key(tmp_path, "read", visit)
