"""Pages and API of keys, people and the audit log, and what a person keeps of a page."""

import asyncio
import csv
import io
import re
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from atalaia.core.permissions import SYSTEM, Role
from tests.contract.access_site import PASSWORD, Site, make_site
from tests.fakes import FakeClock

EMAIL = "ana@example.com"


@pytest.fixture
def site(tmp_path: Path, clock: FakeClock) -> Iterator[Site]:
    made = make_site(tmp_path, clock)
    yield made
    made.store.close()


def run(work: Callable[[], Awaitable[None]]) -> None:
    async def call() -> None:
        await work()

    asyncio.run(call())


def test_a_key_is_shown_once_and_then_only_its_beginning(site: Site) -> None:
    site.add(EMAIL)

    async def visit() -> None:
        browser = site.browser()
        await browser.sign_in(EMAIL)
        await browser.get("/keys/new")
        wrong = await browser.post("/keys", {"name": "ci", "signal": "", "days": "x", "value": ""})
        assert wrong.status_code == 422
        made = await browser.post(
            "/keys", {"name": "ci", "scopes": ["read", "ingest"], "signal": "close", "days": "30", "value": ""}
        )
        value = re.search(r"ata_[0-9a-f]{12}_[0-9a-f]{64}", made.text)
        assert value
        assert made.headers["cache-control"] == "no-store"
        page = (await browser.get("/keys")).text
        assert value[0] not in page
        assert value[0][:16] in page
        key_id = re.search(r'action="/keys/([0-9a-f-]+)/revoke"', page)
        assert key_id
        assert (await browser.post(f"/keys/{key_id[1]}/revoke")).headers["location"] == "/keys"
        assert "revoked" in (await browser.get("/keys")).text

    run(visit)


def test_an_invited_person_gets_in_by_the_link_that_the_admin_passes_on(site: Site) -> None:
    site.add(EMAIL)

    async def visit() -> None:
        admin = site.browser()
        await admin.sign_in(EMAIL)
        await admin.get("/people/new")
        taken = await admin.post("/people", {"email": EMAIL, "name": "", "role": "AGENT"})
        assert taken.status_code == 409
        invited = await admin.post("/people", {"email": "bia@example.com", "name": "Bia", "role": "CLIENT"})
        link = re.search(r"http://hub\.example(/choose-password\?token=[\w-]+)", invited.text)
        assert link
        bia = site.browser()
        assert "bia@example.com" in (await bia.get(link[1])).text
        token = link[1].partition("token=")[2]
        weak = await bia.post("/choose-password", {"token": token, "password": "bia@example.com"})
        assert weak.status_code == 422
        done = await bia.post("/choose-password", {"token": token, "password": PASSWORD})
        assert (done.status_code, done.headers["location"]) == (303, "/")
        assert (await bia.get("/people")).status_code == 403
        assert (await site.browser().get(link[1])).status_code == 410

    run(visit)


def test_an_admin_changes_and_shuts_out_people(site: Site) -> None:
    site.add(EMAIL)
    person_id = site.add("bia@example.com", Role.AGENT)

    async def visit() -> None:
        admin, bia = site.browser(), site.browser()
        await admin.sign_in(EMAIL)
        await bia.sign_in("bia@example.com")
        page = f"/people/{person_id}"
        assert "bia@example.com" in (await admin.get(page)).text
        await admin.post(page, {"name": "Bia", "role": "MANAGER"})
        assert "Bia" in (await admin.get("/people?q=bia")).text
        await admin.post(page, {"is_disabled": "yes"})
        assert (await bia.get("/account")).status_code == 303
        assert (await admin.get("/people/nobody")).status_code == 404

    run(visit)


def test_preferences_are_kept_per_person(site: Site) -> None:
    site.add(EMAIL)

    async def visit() -> None:
        browser = site.browser()
        await browser.sign_in(EMAIL)
        await browser.get("/account")
        chosen = {"name": "Ana", "locale": "pt-BR", "theme": "dark", "timezone": "America/Sao_Paulo"}
        assert (await browser.post("/account/preferences", chosen)).status_code == 303
        page = (await browser.get("/account")).text
        assert '<html lang="pt-BR" data-theme="dark"' in page
        wrong = await browser.post("/account/preferences", {**chosen, "timezone": "Mars/Olympus"})
        assert wrong.status_code == 422
        assert "Mars/Olympus" in wrong.text

    run(visit)


def test_a_link_by_mail_says_the_same_for_everybody(site: Site) -> None:
    site.add(EMAIL)

    async def visit() -> None:
        browser = site.browser()
        await browser.get("/forgot-password")
        known = await browser.post("/forgot-password", {"email": EMAIL})
        unknown = await browser.post("/forgot-password", {"email": "nobody@example.com"})
        strip = re.compile(r'value="[^"]*"|content="[^"]*"')
        assert known.status_code == unknown.status_code == 200
        assert strip.sub("", known.text) == strip.sub("", unknown.text)

    run(visit)


def test_the_audit_log_is_filtered_paged_and_taken_along(site: Site) -> None:
    site.add(EMAIL)

    async def visit() -> None:
        browser = site.browser()
        await browser.sign_in(EMAIL)
        await site.access.keys.create(SYSTEM, name="=1+1", scopes=["read"])
        page = (await browser.get("/audit?action=key")).text
        assert "key.created" in page
        assert "sign_in.succeeded" not in page
        assert "key.created" in (await browser.get("/audit/rows?action=key")).text
        assert "API key created" in (await browser.get("/audit?lang=en&action=key cr")).text  # by its words
        assert "Chave de API criada" in (await browser.get("/audit?lang=pt-BR&action=chave de")).text
        assert (await browser.get("/audit?from=nonsense")).status_code == 422
        assert "key.created" not in (await browser.get("/audit?to=2020-01-01")).text
        export = await browser.get("/audit/export.csv?lang=en")
        assert export.headers["content-type"].startswith("text/csv")
        assert export.text.startswith("\ufeff")  # spreadsheets read another encoding without it
        rows = list(csv.DictReader(io.StringIO(export.text[1:])))
        brazilian = await browser.get("/audit/export.csv?lang=pt-BR")
        assert list(csv.DictReader(io.StringIO(brazilian.text[1:]), delimiter=";"))[-1] == rows[-1]
        for day in ("0001-01-01", "9999-12-31"):
            asked = await browser.get(f"/audit?from={day}&to={day}")
            assert asked.status_code in {200, 422}
        assert {"key.created", "sign_in.succeeded", "person.created"} <= {row["action"] for row in rows}

    run(visit)


def test_the_json_api_of_keys_people_and_audit(site: Site) -> None:
    async def ask() -> None:
        admin, reader = await site.key("admin"), await site.key("read")
        client = site.browser().client
        assert (await client.get("/api/keys")).status_code == 401
        assert (await client.get("/api/keys", headers={"x-api-key": "wrong"})).status_code == 401
        assert (await client.get("/api/keys", headers=reader)).status_code == 403
        made = await client.post("/api/keys", json={"name": "a", "scopes": ["read"]}, headers=admin)
        assert made.status_code == 201
        assert made.json()["key"].startswith(made.json()["prefix"])
        listed = (await client.get("/api/keys?limit=1", headers=admin)).json()
        assert listed["items"][0].keys() >= {"id", "name", "prefix", "scopes", "used_at"}
        assert "key" not in listed["items"][0]
        assert listed["next"]
        wrong = await client.post("/api/keys", json={"name": "a", "scopes": ["raed"]}, headers=admin)
        assert (wrong.status_code, wrong.json()["error"]["field"]) == (422, "scopes")
        unknown = await client.post("/api/keys", json={"name": "a", "scope": "read"}, headers=admin)
        assert unknown.status_code == 422
        assert (await client.delete(f"/api/keys/{made.json()['id']}", headers=admin)).status_code == 204
        assert (await client.delete("/api/keys/none", headers=admin)).status_code == 404

        invited = await client.post("/api/people", json={"email": EMAIL, "role": "MANAGER"}, headers=admin)
        assert invited.status_code == 201
        assert invited.json()["link"]["url"].startswith("http://hub.example/choose-password?token=")
        person_id = invited.json()["person"]["id"]
        changed = await client.patch(f"/api/people/{person_id}", json={"role": "AGENT"}, headers=admin)
        assert changed.json()["role"] == "AGENT"
        again = await client.post(f"/api/people/{person_id}/password-link", headers=admin)
        assert again.status_code == 201
        assert (await client.delete(f"/api/people/{person_id}/second-factor", headers=admin)).status_code == 204
        people = (await client.get("/api/people?q=ana", headers=admin)).json()
        assert [person["email"] for person in people["items"]] == [EMAIL]
        assert (await client.get(f"/api/people/{person_id}", headers=reader)).status_code == 403

        audit = (await client.get("/api/audit?action=person&limit=2", headers=reader)).json()
        assert len(audit["items"]) == 2
        assert audit["next"]
        assert "token" not in str(audit)
        assert (await client.get("/api/audit?from=yesterday", headers=reader)).status_code == 422
        assert (await client.get("/api/audit?cursor=nonsense", headers=reader)).status_code == 422
        described = (await client.get("/openapi.json")).json()
        assert "/api/keys" in described["paths"]

    run(ask)
