"""The JSON API of checks and incidents, through the edge of a whole hub."""

from pathlib import Path
from typing import Any

import pytest

from tests.contract.watch_site import HUB, Visit, visit


def test_a_check_is_made_read_changed_paused_and_removed(tmp_path: Path) -> None:
    async def talk(site: Visit) -> None:
        made = await site.add(labels={"team": "web"})
        assert {"id", "state", "interval_s", "failures_to_down", "agents", "labels"} <= set(made)
        assert (made["state"], made["failures_to_down"], made["agents"]) == ("unknown", 1, [])
        where = f"/api/checks/{made['id']}"
        assert (await site.client.get(where)).json() == made
        changed = await site.client.patch(where, json={"interval_s": 5, "degraded_ms": 200})
        assert (changed.json()["interval_s"], changed.json()["labels"]) == (5, {"team": "web"})
        assert (await site.client.post(f"{where}/pause")).json()["state"] == "paused"
        assert (await site.client.post(f"{where}/resume")).json()["state"] == "unknown"
        assert (await site.client.delete(where)).status_code == 204
        assert (await site.client.get(where)).status_code == 404

    visit(tmp_path, talk)


def test_a_heartbeat_says_where_it_is_pinged(tmp_path: Path) -> None:
    async def talk(site: Visit) -> None:
        made = await site.add(kind="heartbeat", target="", period_s=60, grace_s=5)
        assert made["ping_url"].startswith(f"{HUB}/ping/")
        for word, state in (("", "up"), ("/fail", "down"), ("", "up")):
            answer = await site.client.get(made["ping_url"] + word, headers={"authorization": ""})
            assert (answer.status_code, answer.text) == (200, "OK")
            site.clock.advance(1)
            assert (await site.client.get(f"/api/checks/{made['id']}")).json()["state"] == state

    visit(tmp_path, talk)


def test_from_a_fault_to_its_end(tmp_path: Path) -> None:
    async def talk(site: Visit) -> None:
        await site.hear("sp-1")
        check = await site.add(agents=["sp-1"], severity="warning")
        assert (check["agents"], check["places"][0]["is_picked"]) == (["sp-1"], False)
        await site.see(check, True, False)
        incident = (await site.incidents())[0]
        assert (incident["check_id"], incident["severity"], incident["cause"]) == (check["id"], "warning", "down")
        where = f"/api/incidents/{incident['id']}"
        assert len(await site.incidents("?state=unacknowledged")) == 1
        taken = (await site.client.post(f"{where}/acknowledge")).json()
        assert (taken["state"], taken["acknowledged_by"]) == ("acknowledged", "test")
        assert [one["id"] for one in await site.incidents()] == [incident["id"]]
        assert await site.incidents("?state=unacknowledged") == []
        assert len(await site.incidents("?state=acknowledged")) == 1
        said = await site.client.post(f"{where}/comments", json={"text": "on it"})
        assert [event["kind"] for event in said.json()["timeline"]] == [
            "opened",
            "nobody_told",
            "acknowledged",
            "comment",
        ]
        await site.see(check, True)
        assert (await site.client.get(where)).json()["state"] == "resolved"
        assert await site.incidents() == []
        assert len(await site.incidents("?state=resolved")) == 1
        assert (await site.client.post(f"{where}/close")).status_code == 409
        stats = (await site.client.get(f"/api/checks/{check['id']}/stats")).json()
        assert stats["24h"]["uptime"] == pytest.approx(0.5)
        assert stats["24h"]["p50_ms"] == pytest.approx(7.5)
        events = (await site.client.get(f"/api/checks/{check['id']}/events?limit=1")).json()
        assert (events["items"][0]["data"]["after"], events["next"] is None) == ("up", False)

    visit(tmp_path, talk)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"kind": "http", "target": "http://x/"}, "name"),
        ({"name": "x", "kind": "ftp", "target": "x"}, "kind"),
        ({"name": "x", "kind": "http", "target": "x"}, "target"),
        ({"name": "x", "kind": "http", "target": "http://x/", "interval_s": "often"}, "interval_s"),
        ({"name": "x", "kind": "http", "target": "http://x/", "interval_s": -1}, "interval_s"),
        ({"name": "x", "kind": "http", "target": "http://x/", "agents": ["nobody"]}, "agents"),
        ({"name": "x", "kind": "http", "target": "http://x/", "secrets": {"token": "t"}}, "agents"),
        ({"name": "x", "kind": "http", "target": "http://x/", "options": {"method": 5}}, "options.method"),
        ({"name": "x", "kind": "http", "target": "http://x/", "nme": 5}, "nme"),
    ],
)
def test_a_wrong_field_is_422_and_named(tmp_path: Path, body: dict[str, Any], field: str) -> None:
    async def talk(site: Visit) -> None:
        answer = await site.client.post("/api/checks", json=body)
        error = answer.json()["error"]
        assert answer.status_code == 422
        assert error["code"] == "invalid_field"
        assert field in {error.get("field"), *error["message"].replace("`", " ").split()}

    visit(tmp_path, talk)


@pytest.mark.parametrize("query", ["state=bogus", "kind=bogus", "limit=0", "limit=9999", "cursor=bogus", "label=bogus"])
def test_a_wrong_filter_is_422_and_named(tmp_path: Path, query: str) -> None:
    async def talk(site: Visit) -> None:
        answer = await site.client.get(f"/api/checks?{query}")
        assert (answer.status_code, answer.json()["error"]["field"]) == (422, query.partition("=")[0])

    visit(tmp_path, talk)


def test_lists_go_on_from_their_cursor(tmp_path: Path) -> None:
    async def talk(site: Visit) -> None:
        made = [(await site.add(name=f"c{n}"))["id"] for n in range(3)]
        first = (await site.client.get("/api/checks?limit=2")).json()
        rest = (await site.client.get(f"/api/checks?limit=2&cursor={first['next']}")).json()
        assert [one["id"] for one in first["items"] + rest["items"]] == made[::-1]
        assert rest["next"] is None

    visit(tmp_path, talk)


def test_nobody_and_a_reader_can_not_change(tmp_path: Path) -> None:
    async def talk(site: Visit) -> None:
        for method, path in (("GET", "/api/checks"), ("POST", "/api/checks"), ("GET", "/api/incidents")):
            answer = await site.client.request(method, path, headers={"authorization": ""})
            assert answer.status_code == 401

    visit(tmp_path, talk)


def test_secrets_are_never_given_back(tmp_path: Path) -> None:
    async def talk(site: Visit) -> None:
        await site.hear("sp-1")
        check = await site.add(agents=["sp-1"], secrets={"token": "canary-4711"})
        assert check["has_secrets"]
        pages = [f"/api/checks/{check['id']}", "/api/checks", "/api/audit", "/api/agents"]
        for path in pages:
            assert "canary-4711" not in (await site.client.get(path)).text
        for path in (f"/checks/{check['id']}", f"/checks/{check['id']}/edit", "/checks"):
            assert "canary-4711" not in (await site.client.get(path, headers=site.html)).text
        plan = await site.client.post("/api/agents/plan", json={"agent": {"name": "sp-1"}, "etag": None, "wait_s": 0})
        assert plan.json()["probes"][0]["secrets"] == {"token": "canary-4711"}

    visit(tmp_path, talk)


def test_a_body_that_is_nothing_but_brackets_is_refused(tmp_path: Path) -> None:
    async def talk(site: Visit) -> None:
        content = b'{"name":"x","labels":' + b"[" * 50_000 + b"]" * 50_000 + b"}"
        headers = {"content-type": "application/json"}
        answer = await site.client.post("/api/checks", content=content, headers=headers)
        assert answer.status_code == 400, answer.text
        assert answer.json()["error"]["code"] == "bad_input"

    visit(tmp_path, talk)
