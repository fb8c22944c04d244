"""Upstreams as scripts, workers and pages meet them, on the whole hub; traffilog stands for any."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from atalaia.core.clock import to_ms
from tests.contract.watch_site import Json, Visit, visit

NAME = "traffilog"
PATH = f"/api/upstreams/{NAME}"
WORD = "canary-"
TOKEN = WORD * 5


def _call(v: Visit, outcome: str = "ok", **more: Any) -> Json:
    at = v.clock.now().isoformat()
    return {"operation": "read", "outcome": outcome, "duration_ms": 12.5, "at": at, "status": 200} | more


async def _report(v: Visit, *items: Json) -> Json:
    answer = await v.client.post(f"{PATH}/calls", json={"items": list(items)})
    assert answer.status_code == 200, answer.text
    said: Json = answer.json()
    return said


def _error(answer: httpx.Response) -> Json:
    said: Json = answer.json()["error"]
    return said


def test_a_worker_reports_calls_and_hears_of_the_breaker(tmp_path: Path) -> None:
    async def talk(v: Visit) -> None:
        well = await _report(v, _call(v))
        assert well == {"breakers": {"default": {"state": "closed", "retry_after_s": 0}}}
        bad = await _report(v, *[_call(v, "temporary", status=502, error="answered 502")] * 5)
        assert bad == {"breakers": {"default": {"state": "open", "retry_after_s": 30}}}
        asked = (await v.client.get(f"{PATH}/breaker?account=default")).json()
        assert asked == {"state": "open", "retry_after_s": 30}
        v.clock.advance(30)
        trials = [(await v.client.post(f"{PATH}/breaker/trial", json={})).json() for _ in range(2)]
        assert [trial["granted"] for trial in trials] == [True, False]
        assert (await _report(v, _call(v)))["breakers"]["default"]["state"] == "closed"

    visit(tmp_path, talk)


def test_a_failing_upstream_is_an_incident_that_ends_with_it(tmp_path: Path) -> None:
    async def talk(v: Visit) -> None:
        await v.client.put(f"{PATH}/notes", json={"runbook": "Look at the line first."})
        await _report(v, *[_call(v, "temporary", error="answered 502")] * 6)
        (incident,) = await v.incidents()
        assert incident["title"] == "Upstream does not answer: Traffilog"
        page = (await v.client.get(f"/incidents/{incident['id']}", headers=v.html)).text
        assert "answered 502" in page
        v.clock.advance(31)
        await v.client.post(f"{PATH}/breaker/trial", json={})
        await _report(v, _call(v))
        assert await v.incidents() == []

    visit(tmp_path, talk)


def test_the_list_and_one_upstream_say_how_it_is_and_never_the_token(tmp_path: Path) -> None:
    async def talk(v: Visit) -> None:
        given = await v.client.put(f"{PATH}/token", json={"token": TOKEN})
        assert given.status_code == 204
        await _report(v, _call(v), _call(v, "permanent", operation="write", status=422, error=f"no {TOKEN}"))
        (item,) = [each for each in (await v.client.get("/api/upstreams")).json()["items"] if each["name"] == NAME]
        assert item["last_hour"]["calls"] == 2
        assert item["last_hour"]["success_rate"] == 0.5
        (account,) = item["accounts"]
        assert (account["token"]["has_token"], account["token"]["length"]) == (True, len(TOKEN))
        assert account["token"]["source"] == "manual"
        detail = (await v.client.get(PATH)).json()
        assert {each["operation"] for each in detail["operations"]} == {"read", "write"}
        failures = (await v.client.get(f"{PATH}/failures")).json()["items"]
        assert failures[0]["error"] == "no ***"
        for path in ("/api/upstreams", PATH, f"{PATH}/failures", "/upstreams", f"/upstreams/{NAME}", "/api/audit"):
            assert TOKEN not in (await v.client.get(path, headers=v.html if "/api" not in path else {})).text, path

    visit(tmp_path, talk)


def test_a_worker_gets_the_token_that_is_in_force(tmp_path: Path) -> None:
    async def talk(v: Visit) -> None:
        await v.client.put(f"{PATH}/token", json={"token": TOKEN})
        said = (await v.client.post(f"{PATH}/token", json={})).json()
        assert (said["token"], said["generation"]) == (TOKEN, 1)
        assert said["expires_at"] is not None

    visit(tmp_path, talk)


def test_where_there_is_neither_a_token_nor_a_login_for_one_the_answer_says_so(tmp_path: Path) -> None:
    async def talk(v: Visit) -> None:
        for path, body in (("token", {"rejected_generation": 3}), ("token/renew", {})):
            answer = await v.client.post(f"{PATH}/{path}", json=body)
            assert answer.status_code == 409
            assert _error(answer)["code"] == "conflict"

    visit(tmp_path, talk)


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "field"),
    [
        ("GET", "/api/upstreams/nobody", None, 404, None),
        ("POST", "/api/upstreams/nobody/token", {}, 404, None),
        ("POST", "/api/upstreams/nobody/calls", {"items": []}, 404, None),
        ("POST", f"{PATH}/calls", {"items": [{"operation": "x"}]}, 422, "items"),
        ("POST", f"{PATH}/token", {"account": "somebody"}, 422, "account"),
        ("GET", f"{PATH}/breaker?account=somebody", None, 422, "account"),
        ("PUT", f"{PATH}/token", {"token": "short"}, 422, "token"),
        ("PUT", f"{PATH}/token", {}, 422, "token"),
        ("PUT", f"{PATH}/notes", {"runbook": "x" * 20_001}, 422, "runbook"),
        ("POST", f"{PATH}/breaker/reset", {"account": "somebody"}, 422, "account"),
        ("GET", f"{PATH}/failures?cursor=nonsense", None, 422, "cursor"),
        ("GET", f"{PATH}/series?from=5&to=1", None, 422, "to"),
        ("GET", f"{PATH}/series?from=0&to=999999999999", None, 422, "step"),
        ("GET", f"{PATH}/series?from=0&to=9&measure=p51", None, 422, "measure"),
    ],
)
def test_bad_input_is_refused_by_name(
    tmp_path: Path, method: str, path: str, body: Json | None, status: int, field: str | None
) -> None:
    async def talk(v: Visit) -> None:
        answer = await v.client.request(method, path, json=body)
        assert answer.status_code == status, answer.text
        if field is not None:
            assert field in _error(answer)["field"]

    visit(tmp_path, talk)


def test_charts_have_latency_in_seconds_and_calls_a_minute(tmp_path: Path) -> None:
    async def talk(v: Visit) -> None:
        await _report(v, *[_call(v, duration_ms=200.0)] * 4, _call(v, "temporary", duration_ms=400.0))
        now = to_ms(v.clock.now())
        reach = f"from={now - 300_000}&to={now + 60_000}&step=60"
        (p95,) = (await v.client.get(f"{PATH}/series?{reach}&measure=p95")).json()["items"]
        assert [value for value in p95["values"] if value is not None] == [pytest.approx(0.4, abs=0.1)]
        calls = (await v.client.get(f"{PATH}/series?{reach}&measure=calls")).json()["items"]
        assert {line["labels"]["outcome"]: max(line["values"]) for line in calls} == {"ok": 4, "temporary": 1}
        (failed,) = (await v.client.get(f"{PATH}/series?{reach}&measure=failed")).json()["items"]
        assert sum(failed["values"]) == 1

    visit(tmp_path, talk)


def test_pages_show_the_state_in_both_languages(tmp_path: Path) -> None:
    async def talk(v: Visit) -> None:
        await v.client.put(f"{PATH}/token", json={"token": TOKEN})
        await v.client.put(f"{PATH}/notes", json={"runbook": "Ligar para o plantão", "contacts": "Ana <script>"})
        await _report(v, *[_call(v, "temporary", error="answered 502")] * 5)
        english = (await v.client.get(f"/upstreams/{NAME}", headers=v.html)).text
        for words in (
            "are held back",
            "answered 502",
            "Ligar para o plantão",
            "Ana &lt;script&gt;",
            "In force",
        ):
            assert words in english, words
        portuguese = {**v.html, "accept-language": "pt-BR"}
        shown = (await v.client.get(f"/upstreams/{NAME}", headers=portuguese)).text
        for words in ("ficam retidas", "Disjuntor", "Guardar este token", "Últimas falhas"):
            assert words in shown, words
        rows = (await v.client.get("/upstreams/rows", headers=portuguese)).text
        assert "Traffilog" in rows
        part = (await v.client.get(f"/upstreams/{NAME}/now", headers=v.html)).text
        assert "<html" not in part
        every_page = (await v.client.get("/checks", headers=v.html)).text
        assert "Traffilog does not answer." in every_page

    visit(tmp_path, talk)


def test_forms_of_the_page_do_what_they_say(tmp_path: Path) -> None:
    async def talk(v: Visit) -> None:
        await _report(v, *[_call(v, "temporary")] * 5)
        reset = await v.client.post(f"/upstreams/{NAME}/reset", data={"account": "default"}, headers=v.html)
        assert (reset.status_code, reset.headers["location"]) == (303, f"/upstreams/{NAME}")
        assert (await v.client.get(f"{PATH}/breaker")).json()["state"] == "closed"
        short = await v.client.post(f"/upstreams/{NAME}/token", data={"token": "short"}, headers=v.html)
        assert (short.status_code, "at least" in short.text) == (422, True)
        given = await v.client.post(f"/upstreams/{NAME}/token", data={"token": TOKEN}, headers=v.html)
        assert given.status_code == 303
        notes = {"runbook": "First\r\nsecond", "contacts": ""}
        assert (await v.client.post(f"/upstreams/{NAME}/notes", data=notes, headers=v.html)).status_code == 303
        assert (await v.client.get(PATH)).json()["runbook"] == "First\nsecond"
        renewed = await v.client.post(f"/upstreams/{NAME}/renew", data={}, headers=v.html)
        assert (renewed.status_code, "not configured" in renewed.text) == (422, True)

    visit(tmp_path, talk)


def test_metrics_tell_of_calls_breakers_and_tokens(tmp_path: Path) -> None:
    async def talk(v: Visit) -> None:
        await _report(v, _call(v), *[_call(v, "temporary")] * 5)
        page = (await v.client.get("/metrics")).text
        assert 'atalaia_upstream_calls_total{operation="read",outcome="temporary",upstream="traffilog"} 5.0' in page
        assert 'atalaia_upstream_call_duration_seconds_count{operation="read",upstream="traffilog"} 6.0' in page
        assert 'atalaia_upstream_breaker_open{account="default",upstream="traffilog"} 1.0' in page
        assert "# TYPE atalaia_upstream_token_expires_seconds gauge" in page

    visit(tmp_path, talk)
