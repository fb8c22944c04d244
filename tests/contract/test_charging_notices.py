"""Notices over HTTP: what a resident wants, the record, the pages, and who may see them."""

import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import insert

from atalaia.access.service.keys import create_key
from atalaia.app.hub import Hub
from atalaia.core.clock import SystemClock
from atalaia.core.permissions import SYSTEM, Role
from atalaia.integrations.cvepro.model.notices import Fate, Notice, NoticeKind
from atalaia.integrations.cvepro.queries import notices as queries
from atalaia.integrations.cvepro.tables import notices
from atalaia.sdk.messages import MessageDone, MessageFate
from atalaia.sdk.transaction import Tx
from atalaia_simulators.evolution.answers import upsert
from tests.contract.access_site import Browser
from tests.contract.hub_site import visit_hub
from tests.contract.test_charging_residents import with_key

PAGES = ("/cvepro/notices", "/cvepro/notices/rows", "/cvepro/notices/words", "/cvepro/notices/words/preview?kind=full")
PHONE = "+5511912345678"


def a_notice(subject: str = "s1", **more: str) -> Notice:
    base: dict[str, Any] = {"resident_id": "r1", "text": "Olá <b>", "phone": PHONE, "message_id": "m1"}
    return Notice(
        subject=subject,
        kind=NoticeKind.STARTED,
        fate=Fate.QUEUED,
        created_at=SystemClock().now(),
        **{**base, **more},
    )


def test_what_a_resident_wants_is_kept_and_shown(tmp_path: Path) -> None:
    async def visit(client: httpx.AsyncClient) -> None:
        new = {"name": "Ana", "flat": "101", "phone": PHONE}
        href = f"/api/cvepro/residents/{(await client.post('/api/cvepro/residents', json=new)).json()['id']}"
        assert (await client.put(f"{href}/notices", json={"kinds": ["ended", "full"]})).status_code == 204
        ana = (await client.get(href)).json()
        assert (ana["notices"], ana["opted_in_at"] is not None) == (["full", "ended"], True)
        assert (await client.put(f"{href}/notices", json={"kinds": []})).status_code == 204
        assert (await client.get(href)).json()["opted_in_at"] is None
        for body, status in (({"kinds": ["sms"]}, 422), ({}, 422), ({"kinds": ["full"], "x": 1}, 422)):
            assert (await client.put(f"{href}/notices", json=body)).status_code == status
        assert (await client.put("/api/cvepro/residents/none/notices", json={"kinds": []})).status_code == 404
        nobody = (await client.post("/api/cvepro/residents", json={"name": "Rui", "flat": "1"})).json()["id"]
        refused = await client.put(f"/api/cvepro/residents/{nobody}/notices", json={"kinds": ["full"]})
        assert (refused.status_code, refused.json()["error"]["field"]) == (422, "phone")
        assert (await client.get("/api/cvepro/notices")).json() == {"items": [], "next": None}
        assert (await client.get("/api/cvepro/notices?fate=odd")).status_code == 422

    with_key(tmp_path, "write", visit)


def test_a_key_that_may_only_read_chooses_for_nobody(tmp_path: Path) -> None:
    async def visit(client: httpx.AsyncClient) -> None:
        assert (await client.put("/api/cvepro/residents/r1/notices", json={"kinds": []})).status_code == 403

    with_key(tmp_path, "read", visit)


@pytest.mark.parametrize(("role", "status"), [(Role.MANAGER, 200), (Role.COLLABORATOR, 403), (Role.CLIENT, 403)])
def test_the_pages_are_for_who_may_see_the_overview(tmp_path: Path, role: Role, status: int) -> None:
    async def visit(hub: Hub, browser: Browser) -> None:
        await hub.store.write(lambda tx: queries.claim(tx, a_notice()))
        for page in PAGES:
            answer = await browser.get(page)
            assert answer.status_code == status, page
            assert (PHONE in answer.text) is (status == 200 and page in PAGES[:2]), page

    visit_hub(tmp_path, visit, role=role)


def test_texts_are_previewed_changed_and_refused_at_the_field(tmp_path: Path) -> None:
    async def visit(_hub: Hub, browser: Browser) -> None:
        form = await browser.get("/cvepro/notices/words")
        proof = re.search(r'name="csrf_token" value="([^"]+)"', form.text)
        assert proof is not None

        async def post(path: str, **given: str) -> httpx.Response:
            return await browser.client.post(path, data={"csrf_token": proof[1], "language": "en", **given})

        shown = await post("/cvepro/notices/words/preview", kind="started", **{"text-started": "<i>{first_name}"})
        assert (shown.status_code, "&lt;i&gt;Ana" in shown.text) == (200, True)
        wrong = await post("/cvepro/notices/words/preview", kind="started", **{"text-started": "{cost}"})
        assert (wrong.status_code, "There is no variable {cost} here" in wrong.text) == (200, True)
        refused = await post("/cvepro/notices/words", do="save", kind="started", **{"text-started": "{oops}"})
        assert (refused.status_code, "{oops}" in refused.text) == (422, True)
        saved = await post("/cvepro/notices/words", do="save", kind="started", **{"text-started": "Hi {name}"})
        assert (saved.status_code, saved.headers["location"]) == (303, "/cvepro/notices/words?language=en#started")
        assert "Hi Ana Souza" in (await browser.get("/cvepro/notices/words?language=en")).text
        await post("/cvepro/notices/words", do="reset", kind="started")
        assert "Hi Ana Souza" not in (await browser.get("/cvepro/notices/words?language=en")).text
        nowhere = await post("/cvepro/notices/words", do="test", kind="started", phone="11 91234-5678")
        assert (nowhere.status_code, "nothing was sent" in nowhere.text) == (422, True)
        assert (await post("/cvepro/notices/words", do="test", kind="started", phone="12")).status_code == 422
        assert (await post("/cvepro/notices/words", do="odd", kind="started")).status_code == 400
        assert (await post("/cvepro/notices/words", do="save", kind="odd")).status_code == 404

    visit_hub(tmp_path, visit)


def test_what_became_of_a_message_is_heard_and_who_fails_to_hear_it_loses_that_alone(tmp_path: Path) -> None:
    async def visit(hub: Hub, _browser: Browser) -> None:
        def done(owner: str, message_id: str) -> MessageDone:
            now = SystemClock().now()
            return MessageDone(
                owner=owner, id=message_id, kind="whatsapp", to=PHONE, fate=MessageFate.DELIVERED, status="201", at=now
            )

        def unit(tx: Tx) -> list[str]:
            queries.claim(tx, a_notice("s1"))
            queries.claim(tx, a_notice("s2", message_id="m2"))
            tx.execute(insert(notices).values(_broken()))
            tx.emit(done("cvepro", "m1"))
            tx.emit(done("another", "m2"))
            tx.emit(done("cvepro", "m3"))
            return [row.fate for row in tx.rows(notices.select().order_by(notices.c.subject))]

        assert await hub.store.write(unit) == ["delivered", "queued", "queued"]

    visit_hub(tmp_path, visit)


def _broken() -> dict[str, object]:
    """A row that a later version may have written: of a kind that is not known here."""
    now = SystemClock().now()
    row = {"subject": "s3", "kind": "odd", "resident_id": "r1", "message_id": "m3", "fate": "queued", "reason": ""}
    return {**row, "text": "", "phone": PHONE, "created_at": now}


def test_an_answer_that_the_evolution_api_tells_of_ends_the_notices_of_who_wrote_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a key that may bring things in, and nothing else."""
    monkeypatch.setenv("ATALAIA_EVOLUTION_INSTANCE", "atalaia")

    async def visit(hub: Hub, browser: Browser) -> None:
        now = SystemClock().now()
        scopes = ("write", "ingest", "jobs:create")
        made = hub.store.write_now(lambda tx: [create_key(tx, SYSTEM, name=s, scopes=[s], now=now) for s in scopes])
        keys = {scope: each.value for scope, each in zip(scopes, made, strict=True)}
        transport = httpx.ASGITransport(app=hub.asgi, client=("192.0.2.7", 50000))
        async with httpx.AsyncClient(transport=transport, base_url=hub.public_url) as client:

            async def ask(method: str, path: str, body: Any, scope: str = "write") -> httpx.Response:
                return await client.request(method, path, json=body, headers={"x-api-key": keys[scope]})

            new = {"name": "Ana", "flat": "101", "phone": PHONE}
            href = f"/api/cvepro/residents/{(await ask('POST', '/api/cvepro/residents', new)).json()['id']}"
            assert (await ask("PUT", f"{href}/notices", {"kinds": ["ended"]})).status_code == 204
            told = upsert(instance="atalaia", number=PHONE.removeprefix("+"), text="SAIR", id="A1")
            assert (await client.post("/api/evolution/events", json=told)).status_code == 401
            assert (await ask("POST", "/api/evolution/events", told, "jobs:create")).status_code == 403
            assert (await ask("POST", "/api/evolution/events", {**told, "instance": "x"}, "ingest")).status_code == 422
            assert (await ask("GET", href, None)).json()["opted_in_at"] is not None
            answer = await ask("POST", "/api/evolution/events", told, "ingest")
            assert (answer.status_code, answer.json()) == (200, {"taken": 1})
            assert (await ask("GET", href, None)).json()["opted_in_at"] is None
        assert "cvepro.resident_opted_out" in (await browser.get("/audit")).text

    visit_hub(tmp_path, visit)
