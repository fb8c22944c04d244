"""Pages of agents and of latency, in both languages, with and without something to show."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.contract.agent_site import Site, make_site
from tests.contract.test_agent_wire import PING, RESULT, batch
from tests.contract.test_ping_endpoint import ping
from tests.fakes import FakeClock

PAGES = ("/agents", "/agents/rows", "/agents/new", "/latency", "/latency/rows")


@pytest.fixture
def site(tmp_path: Path, clock: FakeClock) -> Iterator[Site]:
    made = make_site(tmp_path, clock)
    yield made
    made.store.close()


@pytest.mark.parametrize("language", ["en", "pt-BR"])
def test_pages_show_what_agents_say(site: Site, language: str) -> None:
    async def run() -> None:
        key = await site.key("admin", "agent", "ingest")
        html = {**key, "accept": "text/html", "accept-language": language}
        async with site.client() as client:
            for path in PAGES:
                assert (await client.get(path, headers=html)).status_code == 200, path
            answer = await client.post("/api/agents/records", json=batch(RESULT, PING), headers=key)
            assert answer.status_code == 200, answer.text
            await client.post("/api/ping", json=ping(), headers=key)
            agent_id = (await client.get("/api/agents/sp-1", headers=key)).json()["id"]
            shown = {path: (await client.get(path, headers=html)) for path in (*PAGES, f"/agents/{agent_id}")}
            assert {answer.status_code for answer in shown.values()} == {200}
            assert "sp-1.example.org" in shown["/agents"].text
            assert "sao-paulo" in shown["/latency"].text
            assert "-12" in shown[f"/agents/{agent_id}"].text
            await _renamed_and_retired(client, html, agent_id)

    asyncio.run(run())


async def _renamed_and_retired(client: httpx.AsyncClient, html: dict[str, str], agent_id: str) -> None:
    made = await client.post("/agents/new", data={"name": "Recife", "ttl_s": "3600", "uses": "2"}, headers=html)
    assert (made.status_code, "agent.pyz" in made.text) == (201, True)
    refused = await client.post("/agents/new", data={"name": "Recife", "uses": "many"}, headers=html)
    assert (refused.status_code, 'value="Recife"' in refused.text) == (422, True)
    renamed = await client.post(f"/agents/{agent_id}/rename", data={"name": "Olinda"}, headers=html)
    assert renamed.status_code == 303
    assert "Olinda" in (await client.get(f"/agents/{agent_id}", headers=html)).text
    wrong = await client.post(f"/agents/{agent_id}/rename", data={"name": ""}, headers=html)
    assert wrong.status_code == 422
    for way in ("retire", "take-back"):
        assert (await client.post(f"/agents/{agent_id}/{way}", headers=html)).status_code == 303
