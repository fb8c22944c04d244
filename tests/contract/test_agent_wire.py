"""The wire of agents, byte by byte as an agent speaks it (version 1), and what is refused on it."""

import asyncio
import gzip
import io
import json
import zipfile
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from atalaia.agents.events import RecordsReceived
from atalaia.agents.pyz import agent_file
from atalaia.sdk.transaction import Tx
from tests.contract.agent_site import HUB, Site, make_site, packed
from tests.fakes import FakeClock

AGENT = {
    "name": "sp-1",
    "hostname": "sp-1.example.org",
    "version": "0.1.0",
    "python": "3.11.2",
    "platform": "Linux-6.1",
    "pid": 77,
    "incarnation": "0d9c4a8e-0000-4000-8000-000000000001",
    "started_at": 1768478000000,
}
STATUS = {
    "spool_records": 2,
    "spool_bytes": 800,
    "dropped_total": 0,
    "rejected_total": 1,
    "torn_total": 0,
    "spool_error": None,
    "clock_offset_ms": -12.5,
    "line": "up",
    "rss_bytes": 21000000,
    "cpu_s": 1.25,
    "probes_running": 3,
    "late_total": 0,
    "of_a_later_version": {"x": 1},
}
SENT_AT = 1768478400000
RESULT = {
    "t": "result",
    "seq": 1,
    "probe": "c1",
    "at": SENT_AT - 900,
    "ok": False,
    "degraded": False,
    "outcome": "fail",
    "error": "status_mismatch",
    "message": "503, not 200-399",
    "ms": 12.7,
    "phases": {"dns": 0.1, "connect": 1.0, "tls": None, "first_byte": 9.5, "transfer": 0.2},
    "data": {"status": 503},
    "line": "up",
}
PING = {
    "t": "ping",
    "seq": 2,
    "probe": None,
    "ping_id": "0f0f0f0f-0000-4000-8000-000000000001",
    "at": SENT_AT - 800,
    "outcome": "ok",
    "rtt_ms": 148.25,
    "connect_ms": None,
    "processing_ms": 1.5,
    "source": {"location": "sao-paulo", "datacenter": "dc1", "country": "BR"},
    "target": "virginia",
}
SAMPLES = {
    "t": "samples",
    "seq": 3,
    "at": SENT_AT - 700,
    "probe": "h1",
    "labels": {"host": "sp-1"},
    "samples": [["node_load1", {}, 0.5], ["node_filesystem_free_bytes", {"mount": "/"}, 1e9]],
}


def batch(*records: dict[str, Any], agent: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    spool = {"id": "0d9c4a8e-0000-4000-8000-0000000000aa", "first_seq": 1, "last_seq": 3}
    envelope = {"agent": agent or AGENT, "spool": spool, "status": STATUS, "sent_at": SENT_AT}
    return {**envelope, "records": list(records), **more}


@pytest.fixture
def site(tmp_path: Path, clock: FakeClock) -> Iterator[Site]:
    made = make_site(tmp_path, clock)
    yield made
    made.store.close()


Talk = Callable[[httpx.AsyncClient, dict[str, str]], Awaitable[None]]


def talk(site: Site, conversation: Talk, *scopes: str) -> None:
    async def run() -> None:
        headers = await site.key(*(scopes or ("agent",)))
        async with site.client() as client:
            await conversation(client, headers)

    asyncio.run(run())


def test_records_are_kept_told_and_acknowledged_with_their_last_number(site: Site) -> None:
    told: list[RecordsReceived] = []

    def keep(tx: Tx, event: RecordsReceived) -> None:
        tx.after_commit(lambda: told.append(event))

    site.store.on(RecordsReceived, keep)

    async def conversation(client: httpx.AsyncClient, key: dict[str, str]) -> None:
        body, headers = packed(batch(RESULT, PING, SAMPLES))
        answer = await client.post("/api/agents/records", content=body, headers={**key, **headers})
        assert answer.status_code == 200, answer.text
        server_time = answer.json().pop("server_time")
        assert answer.json() == {"accepted": 3, "duplicates": 0, "last_seq": 3, "server_time": server_time}
        again = await client.post("/api/agents/records", content=body, headers={**key, **headers})
        assert (again.json()["accepted"], again.json()["duplicates"], again.json()["last_seq"]) == (0, 3, 3)

    talk(site, conversation)
    (event,) = told
    assert event.agent_name == "sp-1"
    assert event.results[0].phases == RESULT["phases"]
    assert event.pings[0].rtt_ms == 148.25
    assert event.samples[0].samples[1] == ("node_filesystem_free_bytes", {"mount": "/"}, 1e9)


def test_a_plan_has_an_etag_and_204_says_that_it_still_holds(site: Site) -> None:
    async def conversation(client: httpx.AsyncClient, key: dict[str, str]) -> None:
        asked = {"agent": AGENT, "etag": None, "wait_s": 25}
        first = await client.post("/api/agents/plan", json=asked, headers=key)
        assert first.status_code == 200
        plan = first.json()
        assert set(plan) == {"etag", "agent_id", "name", "server_time", "settings", "probes", "tries"}
        assert plan["settings"] == {"report_interval_s": 5.0, "plan_wait_s": 25.0}
        again = await client.post("/api/agents/plan", json={**asked, "etag": plan["etag"], "wait_s": 0}, headers=key)
        assert (again.status_code, again.content) == (204, b"")

    talk(site, conversation)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"records": [{**RESULT, "outcome": "maybe"}]}, "records[0].outcome"),
        ({"records": [{**RESULT, "at": "yesterday"}]}, "records[0].at"),
        ({"records": [{**RESULT, "at": 10**18}]}, "records[0].at"),
        ({"records": [{**RESULT, "t": "riddle"}]}, "records[0].t"),
        ({"records": [RESULT, {**PING, "seq": 1}]}, "records[1].seq"),
        ({"sent_at": None}, "sent_at"),
        ({"agent": {**AGENT, "name": ""}}, "agent.name"),
    ],
)
def test_a_wrong_field_is_named(site: Site, change: dict[str, Any], field: str) -> None:
    async def conversation(client: httpx.AsyncClient, key: dict[str, str]) -> None:
        answer = await client.post("/api/agents/records", json={**batch(RESULT), **change}, headers=key)
        assert answer.status_code == 422, answer.text
        assert answer.json()["error"]["field"] == field

    talk(site, conversation)


def test_refusals(site: Site) -> None:
    async def conversation(client: httpx.AsyncClient, key: dict[str, str]) -> None:
        path = "/api/agents/records"
        plain = {**key, "content-type": "application/json"}
        gzipped = {**plain, "content-encoding": "gzip"}
        bomb = gzip.compress(b" " * (21 * 1_048_576))
        cases = [
            (await client.post(path, json=batch(RESULT)), 401),
            (await client.post(path, json=batch(RESULT), headers={"x-api-key": "no-such-key"}), 401),
            (await client.post(path, json=batch(RESULT), headers=await site.key("read")), 403),
            (await client.get(path, headers=key), 405),
            (await client.post(path, content=b"{", headers=plain), 400),
            (await client.post(path, content=b'{"agent": {"name": "\xff"}}', headers=plain), 400),
            (await client.post(path, content=b"not gzip", headers=gzipped), 400),
            (await client.post(path, content=b"x" * 1_048_577, headers=plain), 413),
            (await client.post(path, content=bomb, headers=gzipped), 413),
            (await client.post(path, content=b"<a/>", headers={**key, "content-type": "text/xml"}), 415),
            (await client.post(path, content=b"{}", headers={**plain, "content-encoding": "br"}), 415),
        ]
        assert [answer.status_code for answer, _ in cases] == [status for _, status in cases]
        for answer, _ in cases:
            assert set(answer.json()["error"]) >= {"code", "message", "hint", "request_id"}

    talk(site, conversation)


def test_text_that_no_database_takes_is_put_right_instead_of_lost(site: Site) -> None:
    async def conversation(client: httpx.AsyncClient, key: dict[str, str]) -> None:
        answer = await client.post("/api/agents/records", json=batch({**RESULT, "message": "a\0b"}), headers=key)
        assert answer.json()["accepted"] == 1

    talk(site, conversation)


def test_a_pasted_line_enrols_and_its_key_works_at_once(site: Site) -> None:
    async def conversation(client: httpx.AsyncClient, key: dict[str, str]) -> None:
        made = await client.post("/api/agents/enrolments", json={"name": "Recife"}, headers=key)
        assert made.status_code == 201, made.text
        token = made.json()["token"]
        assert made.json()["line"] == (
            f"curl -fsSL {HUB}/agent.pyz -o atalaia-agent.pyz && "
            f"python3 atalaia-agent.pyz --hub {HUB} --enrol {token} --spool ./atalaia-spool"
        )
        wanted = {"token": token, "name": "box", "hostname": "box.example.org"}
        answer = await client.post("/api/agents/enrol", json=wanted)
        assert answer.status_code == 201, answer.text
        assert set(answer.json()) == {"agent_id", "name", "key"}
        own = {"authorization": f"Bearer {answer.json()['key']}"}
        plan = await client.post("/api/agents/plan", json={"agent": AGENT}, headers=own)
        assert (plan.json()["agent_id"], plan.json()["name"]) == (answer.json()["agent_id"], "Recife")
        again = await client.post("/api/agents/enrol", json=wanted)
        assert again.status_code == 401
        gone = await client.delete(f"/api/agents/{plan.json()['agent_id']}", headers=key)
        assert gone.status_code == 204
        site.clock.advance(1)
        assert (await client.post("/api/agents/plan", json={"agent": AGENT}, headers=own)).status_code == 401

    talk(site, conversation, "write")


def test_agents_are_listed_renamed_and_shown(site: Site) -> None:
    async def conversation(client: httpx.AsyncClient, key: dict[str, str]) -> None:
        for name in ("b", "a", "c"):
            agent = {**AGENT, "name": name}
            answer = await client.post("/api/agents/records", json=batch(agent=agent), headers=key)
            assert answer.status_code == 200, answer.text
        page = (await client.get("/api/agents?limit=2", headers=key)).json()
        assert [item["name"] for item in page["items"]] == ["a", "b"]
        rest = (await client.get(f"/api/agents?limit=2&cursor={page['next']}", headers=key)).json()
        assert ([item["name"] for item in rest["items"]], rest["next"]) == (["c"], None)
        id_ = page["items"][0]["id"]
        assert (await client.patch(f"/api/agents/{id_}", json={"name": "z"}, headers=key)).json()["name"] == "z"
        assert (await client.get("/api/agents/z", headers=key)).json()["status"]["spool_records"] == 2
        for nobody in ("nobody", "%00"):
            assert (await client.get(f"/api/agents/{nobody}", headers=key)).status_code == 404
            assert (await client.delete(f"/api/agents/{nobody}", headers=key)).status_code == 404
        assert (await client.patch(f"/api/agents/{id_}", json={"name": "b"}, headers=key)).status_code == 409

    talk(site, conversation, "agent", "write")


def test_agent_pyz_is_the_agent_and_the_same_for_the_same_sources(site: Site) -> None:
    async def conversation(client: httpx.AsyncClient, _key: dict[str, str]) -> None:
        answer = await client.get("/agent.pyz")
        assert answer.status_code == 200
        assert answer.content.startswith(b"#!/usr/bin/env python3\n")
        names = zipfile.ZipFile(io.BytesIO(answer.content)).namelist()
        assert "__main__.py" in names
        assert "atalaia_agent/main.py" in names
        assert not [name for name in names if not name.endswith(".py")]

    talk(site, conversation)
    first = agent_file()
    agent_file.cache_clear()
    assert agent_file() == first


def test_the_description_names_the_hot_routes(site: Site) -> None:
    async def conversation(client: httpx.AsyncClient, _key: dict[str, str]) -> None:
        paths = json.loads((await client.get("/openapi.json")).content)["paths"]
        assert {"/api/agents/plan", "/api/agents/records", "/api/ping"} <= set(paths)

    talk(site, conversation)
