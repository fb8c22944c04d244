"""A job of any type from its form: what a worker is given is what was typed, to the byte."""

import re
from pathlib import Path
from typing import Any

import pytest

from atalaia.app.hub import Hub
from atalaia.core.permissions import Role
from tests.contract.access_site import Browser
from tests.contract.hub_site import visit_hub

FORM = "/jobs/new/free"
ODD = '{"b": 1.0,\r\n "a":1e0, "a" : "\\u0041", "n": 12345678901234567890, "é": "ã"}'
_KEY = re.compile(r'name="key" value="([^"]+)"')


async def send(browser: Browser, **fields: Any) -> tuple[int, str, str]:
    """The status, where it leads, and the page."""
    page = (await browser.get(FORM)).text
    found = _KEY.search(page)
    assert found is not None
    answer = await browser.post(FORM, {"key": found[1], "type": "mow", "payload": "{}", **fields})
    return answer.status_code, answer.headers.get("location", ""), answer.text


async def job(browser: Browser, address: str) -> Any:
    answer = await browser.client.get(f"/api{address}", headers={"accept": "application/json"})
    return answer.json()


def test_what_was_typed_is_what_the_worker_is_given(tmp_path: Path) -> None:
    async def visit(hub: Hub, browser: Browser) -> None:
        more = {"queue": "garden", "priority": "-7", "max_attempts": "2", "run_at": "2999-05-01T10:00"}
        keys = {"unique_key": "lawn 1", "concurrency_key": "mower 2"}
        status, address, _ = await send(browser, payload=f"  {ODD}\r\n", **more, **keys)
        assert status == 303
        kept = hub.store.read_now(lambda tx: tx.raw("SELECT payload FROM jobs"))
        assert kept == [(ODD.replace("\r\n", "\n"),)]
        made = await job(browser, address)
        assert (made["type"], made["queue"], made["priority"], made["maxAttempts"]) == ("mow", "garden", -7, 2)
        assert (made["uniqueKey"], made["concurrencyKey"]) == ("lawn 1", "mower 2")
        assert made["runAt"].startswith("2999-05-01T1"), "in the reader's zone"

    visit_hub(tmp_path, visit)


def test_everything_that_is_wrong_is_said_at_once_and_nothing_typed_is_lost(tmp_path: Path) -> None:
    async def visit(_hub: Hub, browser: Browser) -> None:
        typed = {"type": " ", "payload": '{"a": 01}', "priority": "1001", "max_attempts": "0", "run_at": "soon"}
        status, _, page = await send(browser, **typed, unique_key="k" * 501)
        assert status == 422
        for name in (*typed, "unique_key"):
            assert f'id="e-{name}"' in page, name
        assert "This is not JSON, at character" in page
        assert "01}" in page

    visit_hub(tmp_path, visit)


@pytest.mark.parametrize(
    "payload",
    ["", "{", "NaN", "'a'", '{"a": 1} {}', '1, "type": "x"', "[" * 100_000, '"\r\n"', "\ud800", '{"a":1,}'],
)
def test_a_payload_that_is_no_json_makes_no_job(tmp_path: Path, payload: str) -> None:
    async def visit(hub: Hub, browser: Browser) -> None:
        typed = payload.encode("utf-8", "replace").decode()
        status, _, page = await send(browser, payload=typed)
        assert (status, 'id="e-payload"' in page) == (422, True)
        assert hub.store.read_now(lambda tx: tx.raw("SELECT count(*) FROM jobs")) == [(0,)]

    visit_hub(tmp_path, visit)


def test_a_declared_type_is_held_to_its_payload(tmp_path: Path) -> None:
    async def visit(_hub: Hub, browser: Browser) -> None:
        status, _, page = await send(browser, type="scheme_builder", payload='{"clientId": 1}')
        assert (status, 'id="e-payload"' in page) == (422, True)

    visit_hub(tmp_path, visit)


def test_the_form_sent_twice_is_one_job(tmp_path: Path) -> None:
    async def visit(_hub: Hub, browser: Browser) -> None:
        first, again = [(await browser.post(FORM, {"key": "once", "type": "mow", "payload": "1"})) for _ in range(2)]
        assert first.headers["location"] == again.headers["location"]
        other = await browser.post(FORM, {"key": "once", "type": "mow", "payload": "2"})
        assert other.status_code == 422
        assert "This form was sent before" in other.text

    async def visit_after_form(hub: Hub, browser: Browser) -> None:
        await browser.get(FORM)
        await visit(hub, browser)

    visit_hub(tmp_path, visit_after_form)


def test_who_may_not_start_jobs_has_no_form(tmp_path: Path) -> None:
    async def visit(_hub: Hub, browser: Browser) -> None:
        assert (await browser.get(FORM)).status_code == 403
        assert "/jobs/new" not in (await browser.get("/jobs")).text

    visit_hub(tmp_path, visit, role=Role.MANAGER)
