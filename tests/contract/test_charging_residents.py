"""Residents over HTTP: the API in its own words, and that a resident sees nobody else's name, flat, phone or tag anywhere."""

import re
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import insert

from atalaia.access.service.keys import create_key
from atalaia.app.hub import Hub
from atalaia.core.clock import SystemClock
from atalaia.core.permissions import ROLE_PERMISSIONS, SYSTEM, Role
from atalaia.integrations.cvepro import tables
from atalaia.integrations.cvepro.model.chargers import Charger, Connector
from atalaia.integrations.cvepro.model.sessions import Session
from atalaia.integrations.cvepro.service.keeping import keep_chargers, keep_sessions
from atalaia.sdk.transaction import Tx
from atalaia.store.files import StoreFiles
from tests.contract.access_site import Browser
from tests.contract.hub_site import visit_hub
from tests.contract.test_permissions import guards_of

PAGES = ("/cvepro/residents", "/cvepro/residents/rows", "/cvepro/residents/new", "/cvepro/residents/import")
CSV = b"Nome;Apto;Tag\nAna;101;AA\nRui;;BB\n"
# What is planted stands in no text of ours.
PLANT = "xqzplanted"
PHONE = "+5511987650000"


def with_key(tmp_path: Path, scope: str, visit: Callable[[httpx.AsyncClient], Awaitable[None]]) -> None:
    async def ask(hub: Hub, _browser: Browser) -> None:
        made = hub.store.write_now(
            lambda tx: create_key(tx, SYSTEM, name=scope, scopes=[scope], now=SystemClock().now())
        )
        transport = httpx.ASGITransport(app=hub.asgi, client=("192.0.2.7", 50000))
        headers = {"x-api-key": made.value}
        async with httpx.AsyncClient(transport=transport, base_url=hub.public_url, headers=headers) as client:
            await visit(client)

    visit_hub(tmp_path, ask)


def test_residents_are_made_listed_changed_and_deleted(tmp_path: Path) -> None:
    async def visit(client: httpx.AsyncClient) -> None:
        new = {"name": " Ana  Souza ", "flat": "101", "phone": "11 91234-5678", "tags": ["04:a2", "04-b3"]}
        made = await client.post("/api/cvepro/residents", json=new)
        assert made.status_code == 201, made.text
        ana = made.json()
        assert (ana["name"], ana["phone"], ana["email"], ana["account"]) == ("Ana Souza", "+5511912345678", None, None)
        assert [tag["tag"] for tag in ana["tags"]] == ["04A2", "04B3"]
        href = f"/api/cvepro/residents/{ana['id']}"

        taken = await client.post("/api/cvepro/residents", json={"name": "Rui", "flat": "202", "tags": ["04A2"]})
        assert (taken.status_code, taken.json()["error"]["field"]) == (422, "tags")
        assert "Ana Souza" in taken.json()["error"]["message"]
        rui = await client.post(
            "/api/cvepro/residents", json={"name": "Rui", "flat": "202", "tags": ["04A2"], "move": True}
        )
        assert rui.status_code == 201
        tags = {tag["tag"]: tag["until_at"] is None for tag in (await client.get(href)).json()["tags"]}
        assert tags == {"04A2": False, "04B3": True}

        changed = await client.patch(href, json={"phone": None, "email": "Ana@Example.org"})
        assert (changed.status_code, changed.json()["phone"]) == (200, None)
        assert (changed.json()["email"], changed.json()["name"]) == ("ana@example.org", "Ana Souza")
        assert (await client.patch(href, json={"flat": ""})).json()["error"]["field"] == "flat"
        assert (await client.patch(href, json={"color": 1})).status_code == 422

        first = (await client.get("/api/cvepro/residents?limit=1")).json()
        assert [each["name"] for each in first["items"]] == ["Ana Souza"]
        second = (await client.get(f"/api/cvepro/residents?limit=1&cursor={first['next']}")).json()
        assert ([each["name"] for each in second["items"]], second["next"]) == (["Rui"], None)
        assert (await client.get("/api/cvepro/residents?state=odd")).status_code == 422

        assert (await client.delete(href)).status_code == 204
        assert (await client.get(href)).status_code == 404
        example = await client.get("/api/cvepro/rosters/example.csv")
        assert (example.status_code, example.headers["content-type"]) == (200, "text/csv; charset=utf-8")

    with_key(tmp_path, "write", visit)


def test_a_key_that_may_only_read_changes_nothing(tmp_path: Path) -> None:
    async def visit(client: httpx.AsyncClient) -> None:
        assert (await client.get("/api/cvepro/residents")).json() == {"items": [], "next": None}
        assert (await client.post("/api/cvepro/residents", json={"name": "Ana", "flat": "1"})).status_code == 403

    with_key(tmp_path, "read", visit)


def test_a_file_is_looked_at_and_imported_by_hand(tmp_path: Path) -> None:
    async def visit(_hub: Hub, browser: Browser) -> None:
        for page in PAGES:
            assert (await browser.get(page)).status_code == 200, page
        form = await browser.get("/cvepro/residents/import")
        proof = re.search(r'name="csrf_token" value="([^"]+)"', form.text)
        assert proof is not None
        refused = await browser.client.post(
            "/cvepro/residents/import", data={"csrf_token": proof[1]}, files={"file": ("x.png", b"\x89PNG\x00")}
        )
        assert (refused.status_code, "neither CSV nor XLSX" in refused.text) == (422, True)
        taken = await browser.client.post(
            "/cvepro/residents/import", data={"csrf_token": proof[1]}, files={"file": ("moradores.csv", CSV)}
        )
        assert taken.status_code == 303, taken.text
        href = taken.headers["location"]
        shown = await browser.get(href)
        digest = re.search(r'name="digest" value="([^"]+)"', shown.text)
        assert digest is not None
        assert "moradores.csv" in shown.text
        assert "Nothing was imported." in (await browser.post(href, {"do": "import", "digest": "another"})).text
        assert (await browser.post(href, {"do": "import", "digest": digest[1]})).status_code == 303
        assert "1 row was imported" in (await browser.get(href)).text
        assert "Ana" in (await browser.get("/cvepro/residents")).text
        rows = await browser.get(f"{href.replace('/cvepro/residents/import', '/api/cvepro/rosters')}/refused.csv")
        assert [line.split(";")[0] for line in rows.text.splitlines()[1:]] == ["3"]
        assert (await browser.post(href, {"do": "drop"})).status_code == 303
        assert (await browser.get(href)).status_code == 404

    visit_hub(tmp_path, visit)


# -- nobody else's name


def planted(word: str) -> str:
    return f"{PLANT}-{word}"


BUSY = Connector(number="1", status="Charging", user_name=planted("vendors-name"))
FREE = Connector(number="1", status="Available")
CHARGERS = (
    Charger(key="CVE-1", box_id="CVE-1", description="Vaga 1", connectors=(BUSY,)),
    Charger(key="CVE-2", box_id="CVE-2", description="Vaga 2", connectors=(FREE,)),
)


def plant(hub: Hub, person_id: str) -> list[str]:
    """A house full of others, and one who looks; ids that addresses may name."""
    now = datetime.now(UTC)

    def unit(tx: Tx) -> list[str]:
        keep_chargers(tx, CHARGERS, now=now)
        plant_residents(tx, person_id, now)
        keep_sessions(tx, sessions_at(now), now=now)
        file_id = plant_report(tx, now)
        told = {"text": planted("text"), "phone": PHONE, "fate": "delivered", "reason": planted("reason")}
        notice = {"subject": "theirs", "kind": "ended", "resident_id": "other", "created_at": now}
        tx.execute(insert(tables.notices).values(**notice, **told))
        tx.execute(insert(tables.waits).values(resident_id="other", charger_key="CVE-1", asked_at=now))
        return ["other", "me", "report", "CVE-1", "CVE-2", "theirs", "mine", file_id]

    return hub.store.write_now(unit)


def sessions_at(now: datetime) -> list[Session]:
    others: dict[str, Any] = {"user_name": planted("user"), "flat": planted("flat"), "tag": planted("tag")}
    mine = {**others, "tag": "MINE"}
    began = now - timedelta(hours=2)
    return [
        Session(id="theirs-now", box_id="CVE-1", connector="1", started_at=began, **others),
        Session(id="theirs", box_id="CVE-1", started_at=began, stopped_at=now, energy_mwh=1, **others),
        # Mine by the tag, though the vendor takes it for another's.
        Session(id="mine", box_id="CVE-2", started_at=began, stopped_at=now, energy_mwh=5_000_000, **mine),
        # With my tag, while another had it.
        Session(id="before", box_id="CVE-2", started_at=now - timedelta(days=3), stopped_at=now, energy_mwh=1, **mine),
    ]


def plant_residents(tx: Tx, person_id: str, now: datetime) -> None:
    kept = {"locale": "en", "notices": [], "is_active": True, "created_at": now, "changed_at": now}
    theirs = {"name": planted("name"), "flat": planted("flat"), "phone": PHONE, "email": f"{PLANT}@example.org"}
    mine = {"name": "Me", "flat": "ours", "phone": None, "email": None}
    tx.insert(
        tables.residents,
        [{"id": "other", "person_id": None, **theirs, **kept}, {"id": "me", "person_id": person_id, **mine, **kept}],
    )
    moved_at = now - timedelta(days=1)
    spans = [
        ("t1", "other", planted("tag").upper().replace("-", ""), None, None),
        ("t2", "other", "MINE", None, moved_at),
        ("t3", "me", "MINE", moved_at, None),
    ]
    names = ("id", "resident_id", "tag", "since_at", "until_at")
    tx.insert(tables.tags, [{"label": planted("label"), **dict(zip(names, span, strict=True))} for span in spans])


def plant_report(tx: Tx, now: datetime) -> str:
    files = StoreFiles("cvepro", now=lambda: now)
    file = files.keep(tx, name=planted("file"), media_type="text/csv", content=planted("content").encode())
    report = {"id": "report", "job_id": None, "month": f"{now:%Y-%m}", "flat": planted("flat"), "format": "csv"}
    kept = {"file_id": file.id, "size_bytes": 1, "created_by": planted("by"), "created_at": now, "holders": ["other"]}
    tx.execute(insert(tables.reports).values(title=planted("title"), **report, **kept))
    return file.id


def addresses(hub: Hub, ids: list[str]) -> Iterator[str]:
    """All that a resident's role may ask for, of charging and beside it, with each id in each place."""
    for method, path, guards in guards_of(hub):
        allowed = guards and getattr(guards[0], "func", guards[0]).permission in ROLE_PERMISSIONS[Role.CLIENT]
        if method == "GET" and allowed and not path.startswith(("/static", "/openapi", "/sign-out")):
            for id_ in ids if "{" in path else [""]:
                yield re.sub(r"\{[^}]+\}", id_, path)


@pytest.mark.parametrize("query", ["", "?month=2026-01&state=trouble&q=x", f"?resident=other&flat={PLANT}-flat"])
def test_a_resident_sees_nobody_elses_name_flat_phone_or_tag_anywhere(tmp_path: Path, query: str) -> None:
    async def visit(hub: Hub, browser: Browser) -> None:
        person = hub.store.read_now(lambda tx: tx.raw("SELECT id FROM people"))[0][0]
        ids = plant(hub, person)
        asked = list(addresses(hub, ids))
        assert {
            "/cvepro",
            "/cvepro/mine",
            "/cvepro/mine/now",
            "/api/dashboard/chargers",
            "/cvepro/chargers/CVE-1",
        } <= set(asked)
        for address in asked:
            answer = await browser.get(address + query)
            assert answer.status_code < 500, address
            told = answer.text.lower() + str(answer.headers).lower()
            told = told.replace(query.lower(), "").replace(query.lower().replace("&", "&amp;"), "")
            assert PLANT not in told, (address, told[max(0, told.find(PLANT) - 200) :][:400])
            assert PHONE not in told, address
        own = (await browser.get("/cvepro/mine")).text
        assert "Vaga 2" in own
        assert "5.00" in own
        assert 'data-key="before"' not in own
        for form in (
            {"do": "wait", "charger": "CVE-1"},
            {"do": "wait", "charger": "x"},
            {"do": "notices", "notice_ended": "on"},
        ):
            assert PLANT not in (await browser.post("/cvepro/mine", form)).text

    visit_hub(tmp_path, visit, role=Role.CLIENT)


def test_an_account_that_is_nobodys_is_told_what_to_do(tmp_path: Path) -> None:
    async def visit(_hub: Hub, browser: Browser) -> None:
        page = await browser.get("/cvepro/mine")
        assert (page.status_code, "not linked to a resident" in page.text) == (200, True)
        assert "not linked to a resident" in (await browser.get("/cvepro/mine/now")).text
        assert 'href="/cvepro/mine"' in (await browser.get("/cvepro")).text
        for closed in ("/cvepro/residents", "/cvepro/residents/me", "/cvepro/sessions", "/api/cvepro/residents"):
            assert (await browser.get(closed)).status_code == 403, closed

    visit_hub(tmp_path, visit, role=Role.CLIENT)


def test_the_menu_has_the_own_view_for_residents_alone(tmp_path: Path) -> None:
    async def visit(_hub: Hub, browser: Browser) -> None:
        assert 'href="/cvepro/mine"' not in (await browser.get("/cvepro")).text

    visit_hub(tmp_path, visit)
