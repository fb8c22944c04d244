"""POST /api/ping as its senders know it, and what it adds up to."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.contract.agent_site import Site, make_site
from tests.contract.test_agent_wire import AGENT, PING, batch
from tests.fakes import FakeClock

SOURCE = {"location": "sao-paulo", "datacenter": "dc1", "country": "BR"}
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def ping(**change: Any) -> dict[str, Any]:
    return {"timestamp_start": "2026-01-02T03:04:05.678Z", "source": SOURCE, "ping_id": str(uuid4()), **change}


@pytest.fixture
def site(tmp_path: Path, clock: FakeClock) -> Iterator[Site]:
    made = make_site(tmp_path, clock)
    yield made
    made.store.close()


Talk = Callable[[httpx.AsyncClient, dict[str, str]], Awaitable[None]]


def talk(site: Site, conversation: Talk, *scopes: str) -> None:
    async def run() -> None:
        made = await site.key(*(scopes or ("ingest", "read")))
        key = {"x-api-key": made["authorization"].removeprefix("Bearer ")}
        async with site.client() as client:
            await conversation(client, key)

    asyncio.run(run())


def test_a_ping_is_answered_in_the_kept_form(site: Site) -> None:
    async def conversation(client: httpx.AsyncClient, key: dict[str, str]) -> None:
        body = ping()
        answer = await client.post("/api/ping", json=body, headers=key)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/json"
        value = answer.json()
        assert list(value) == [
            "status",
            "ping_id",
            "timestamp_received",
            "timestamp_processed",
            "processing_time_ms",
            "network_rtt_ms",
            "message",
        ]
        assert (value["status"], value["ping_id"], value["network_rtt_ms"]) == ("success", body["ping_id"], None)
        assert INSTANT.fullmatch(value["timestamp_received"])
        assert INSTANT.fullmatch(value["timestamp_processed"])
        assert value["processing_time_ms"] > 0

    talk(site, conversation)


def test_a_wrong_key_gets_exactly_the_kept_words(site: Site) -> None:
    async def conversation(client: httpx.AsyncClient, _key: dict[str, str]) -> None:
        for headers in ({}, {"x-api-key": "wrong"}, {"authorization": "Bearer wrong"}):
            answer = await client.post("/api/ping", json=ping(), headers=headers)
            assert (answer.status_code, answer.content) == (401, b'{"detail":"Invalid API Key"}')

    talk(site, conversation)


@pytest.mark.parametrize(
    ("change", "location"),
    [
        ({"source": {"location": "a", "datacenter": "b"}}, ["body", "source", "country"]),
        ({"source": {**SOURCE, "country": 5}}, ["body", "source", "country"]),
        ({"source": {**SOURCE, "location": ""}}, ["body", "source", "location"]),
        ({"source": {**SOURCE, "location": "a\0b"}}, ["body", "source", "location"]),
        ({"source": None}, ["body", "source"]),
        ({"timestamp_start": "yesterday"}, ["body", "timestamp_start"]),
        ({"ping_id": "not-an-id"}, ["body", "ping_id"]),
        ({"ping_id": "0190a000-0000-7000-8000-000000000000"}, ["body", "ping_id"]),
    ],
)
def test_a_wrong_field_is_named_as_fastapi_names_it(site: Site, change: dict[str, Any], location: list[str]) -> None:
    async def conversation(client: httpx.AsyncClient, key: dict[str, str]) -> None:
        answer = await client.post("/api/ping", json=ping(**change), headers=key)
        assert answer.status_code == 422, answer.text
        (problem,) = answer.json()["detail"]
        assert problem["loc"] == location
        assert problem["msg"]

    talk(site, conversation)


def test_a_missing_field_is_named(site: Site) -> None:
    async def conversation(client: httpx.AsyncClient, key: dict[str, str]) -> None:
        body = ping()
        del body["ping_id"]
        (problem,) = (await client.post("/api/ping", json=body, headers=key)).json()["detail"]
        assert problem == {"loc": ["body", "ping_id"], "msg": "Field required", "type": "missing"}

    talk(site, conversation)


def test_other_refusals_are_in_the_same_form(site: Site) -> None:
    async def conversation(client: httpx.AsyncClient, key: dict[str, str]) -> None:
        plain = {**key, "content-type": "application/json"}
        cases = [
            (await client.post("/api/ping", content=b"{", headers=plain), 400),
            (await client.post("/api/ping", content=b"\xff\xff", headers=plain), 400),
            (await client.get("/api/ping", headers=key), 405),
            (await client.post("/api/ping", content=b"x" * 16_385, headers=plain), 413),
            (await client.post("/api/ping", content=b"a=1", headers={**key, "content-type": "text/xml"}), 415),
            (await client.post("/api/ping", json=ping(), headers=await site.key("read")), 403),
        ]
        assert [answer.status_code for answer, _ in cases] == [status for _, status in cases]
        assert all(set(answer.json()) == {"detail"} for answer, _ in cases)

    talk(site, conversation)


def test_curls_default_content_type_and_a_body_in_pieces_pass(site: Site) -> None:
    async def conversation(client: httpx.AsyncClient, key: dict[str, str]) -> None:
        whole = httpx.Request("POST", "http://x", json=ping()).read()
        form = {**key, "content-type": "application/x-www-form-urlencoded"}
        assert (await client.post("/api/ping", content=whole, headers=form)).status_code == 200
        second = httpx.Request("POST", "http://x", json=ping()).read()

        async def pieces() -> Any:
            for start in range(0, len(second), 10):
                yield second[start : start + 10]

        json_type = {**key, "content-type": "application/json"}
        assert (await client.post("/api/ping", content=pieces(), headers=json_type)).status_code == 200

    talk(site, conversation)


def test_the_same_ping_counts_once_and_stats_say_what_agents_measured(site: Site) -> None:
    async def conversation(client: httpx.AsyncClient, key: dict[str, str]) -> None:
        same = ping()
        for body in (same, same, ping(), ping()):
            assert (await client.post("/api/ping", json=body, headers=key)).status_code == 200
        now_ms = 1768478400000
        reports = [
            {**PING, "seq": n, "at": now_ms - 60_000 + n * 1000, "rtt_ms": 100.0 + 10 * n, "target": "hub"}
            for n in range(1, 4)
        ]
        lost = {**PING, "seq": 4, "at": now_ms - 50_000, "outcome": "timeout", "rtt_ms": None}
        sent = await client.post("/api/agents/records", json=batch(*reports, lost, agent=AGENT), headers=key)
        assert sent.status_code == 200, sent.text
        # Pings are counted by the hub's own clock, the rest of this test lives in the fake one's past.
        (item,) = (await client.get("/api/ping/stats?hours=24", headers=key)).json()["items"]
        assert item["source"] == SOURCE
        assert item["count"] == 3
        assert item["loss"] == 0.25
        assert (item["p50_ms"], item["p95_ms"], item["p99_ms"]) == (120.0, 130.0, 130.0)
        assert item["jitter_ms"] == 10.0
        assert item["last_ms"] is None
        assert item["last_at"] == "2026-01-15T11:59:10Z"
        assert (await client.get("/api/ping/stats?hours=0", headers=key)).status_code in {400, 422}
        await site.pings.meter.hand_over()
        page = site.metrics.own.page().decode()
        assert 'collector_api_pings_received_total{source_country="BR",source_location="sao-paulo"} 3.0' in page
        assert 'api_requests_total{endpoint="/api/ping",method="POST"} 4.0' in page
        assert 'ping_requests_total{source_location="sao-paulo",status="success",target_location="hub"} 3.0' in page
        assert (
            'ping_errors_total{error_type="timeout",source_location="sao-paulo",target_location="virginia"} 1.0' in page
        )

    talk(site, conversation, "ingest", "read", "agent")
