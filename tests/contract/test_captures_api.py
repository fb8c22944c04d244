"""The JSON API of captures."""

import asyncio
import gzip
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.captures_site import Site, opened_site
from tests.fakes import FakeClock
from tests.store.captures_kit import UPSTREAM, recorded
from tests.unit.captures.recorded import SECRETS, TOKEN, frame, har, redacted, socket_entry

PATH = f"/api/captures?upstream={UPSTREAM}"
REVIEW = frame("review", '"client_id":"77","call_num":"0",')


@pytest.fixture
def site(tmp_path: Path, clock: FakeClock) -> Iterator[Site]:
    with opened_site(tmp_path, clock) as made:
        yield made


def talk(conversation: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(conversation())


def test_a_capture_is_imported_listed_shown_and_compared(site: Site) -> None:
    async def run() -> None:
        key = await site.key("admin")
        async with site.client() as client:
            first = await client.post(f"{PATH}&name=before", content=recorded(REVIEW), headers=key)
            assert first.status_code == 201, first.text
            a = first.json()["capture"]["id"]
            assert first.json()["changed"] == ["user_login", "review"]
            again = await client.post(PATH, content=recorded(REVIEW), headers=key)
            assert (again.status_code, again.json()["is_new"]) == (200, False)
            other = recorded(REVIEW.replace('"call_num":"0"', '"call_num":0'))
            packed = {**key, "content-encoding": "gzip", "content-type": "application/json"}
            b = (await client.post(PATH, content=gzip.compress(other), headers=packed)).json()["capture"]["id"]
            listed = (await client.get("/api/captures", headers=key)).json()
            assert [each["id"] for each in listed["items"]] == [b, a]
            shown = (await client.get(f"/api/captures/{a}?action=review", headers=key)).json()
            assert [each["text"] for each in shown["frames"]] == [redacted(REVIEW)]
            paged = (await client.get(f"/api/captures/{a}?limit=1", headers=key)).json()
            assert paged["next"] == 1
            rest = (await client.get(f"/api/captures/{a}?after=1", headers=key)).json()
            assert [each["n"] for each in rest["frames"]] == [2, 3]
            diff = (await client.get(f"/api/captures/{a}/diff/{b}", headers=key)).json()
            assert diff["same"] is False
            review = next(each for each in diff["actions"] if each["action"] == "review")
            assert review["differences"][0]["text"] == 'parameters.call_num: captured string "0", would send number 0'
            assert [secret for secret in SECRETS if secret in f"{listed}{shown}{diff}"] == []

    talk(run)


def test_templates_in_force_are_told_with_an_etag_and_another_version_can_be_chosen(site: Site) -> None:
    async def run() -> None:
        key = await site.key("admin")
        async with site.client() as client:
            before = await client.get(f"/api/upstreams/{UPSTREAM}/templates", headers=key)
            await client.post(PATH, content=recorded(REVIEW), headers=key)
            after = await client.get(f"/api/upstreams/{UPSTREAM}/templates", headers=key)
            assert before.headers["etag"] != after.headers["etag"]
            assert after.json()["templates"]["review"]["version"] == 1
            address = f"/api/upstreams/{UPSTREAM}/templates/review/activate"
            back = await client.post(address, json={"version": 0}, headers=key)
            assert (back.status_code, back.json()["version"]) == (200, 0)
            again = await client.get(f"/api/upstreams/{UPSTREAM}/templates", headers=key)
            assert again.json()["templates"]["review"] == before.json()["templates"]["review"]
            assert (await client.post(address, json={"version": 9}, headers=key)).status_code == 404
            assert (await client.post(address, json={"version": "one"}, headers=key)).status_code == 422
            assert (await client.get("/api/upstreams/elsewhere/templates", headers=key)).status_code == 404

    talk(run)


def test_a_deleted_capture_is_gone_and_what_was_made_of_it_stays(site: Site) -> None:
    async def run() -> None:
        key, reader = await site.key("admin"), await site.key("read")
        async with site.client() as client:
            made = (await client.post(f"{PATH}&name=before", content=recorded(REVIEW), headers=key)).json()["capture"]
            path, templates = f"/api/captures/{made['id']}", f"/api/upstreams/{UPSTREAM}/templates"
            in_force = (await client.get(templates, headers=key)).json()
            assert (await client.delete(path, headers=reader)).status_code == 403
            gone = await client.delete(path, headers=key)
            assert (gone.status_code, gone.content) == (204, b"")
            assert (await client.get(path, headers=key)).status_code == 404
            assert (await client.delete(path, headers=key)).status_code == 404
            assert (await client.get("/api/captures", headers=key)).json()["items"] == []
            assert (await client.get(templates, headers=key)).json() == in_force
            entry = (await client.get("/api/audit?limit=1", headers=key)).json()["items"][0]
            assert (entry["action"], entry["object"]) == ("capture.deleted", f"capture:{made['id']}")
            assert entry["before"]["name"] == "before"
            again = await client.post(PATH, content=recorded(REVIEW), headers=key)
            assert (again.status_code, again.json()["is_new"], again.json()["changed"]) == (201, True, [])

    talk(run)


def test_what_is_refused_is_refused_with_the_reason_and_what_to_do(site: Site) -> None:
    async def run() -> None:
        key = await site.key("admin")
        async with site.client() as client:
            sanitised = har(socket_entry(None, cookie=False))
            refused = await client.post(PATH, content=sanitised, headers=key)
            error = refused.json()["error"]
            assert (refused.status_code, error["code"], error["field"]) == (422, "capture_refused", "file")
            assert "sensitive data" in error["hint"]
            cut = await client.post(PATH, content=recorded(REVIEW)[:-40], headers=key)
            assert (cut.status_code, TOKEN in cut.text) == (422, False)
            assert (await client.post("/api/captures", content=b"{}", headers=key)).json()["error"][
                "field"
            ] == "upstream"
            elsewhere = await client.post("/api/captures?upstream=x", content=recorded(REVIEW), headers=key)
            assert elsewhere.json()["error"]["field"] == "upstream"
            image = await client.post(PATH, content=b"GIF", headers={**key, "content-type": "image/gif"})
            assert image.status_code == 415
            assert (await client.get("/api/captures/nothing", headers=key)).status_code == 404
            assert (await client.get("/api/captures/a/diff/b", headers=key)).status_code == 404
            portuguese = await client.post(PATH, content=sanitised, headers={**key, "accept-language": "pt-BR"})
            assert "exportado sem as mensagens" in portuguese.json()["error"]["message"]

    talk(run)


def test_too_large_a_file_is_refused_before_it_is_read(site: Site) -> None:
    async def run() -> None:
        key = await site.key("admin")
        async with site.client() as client:
            large = {**key, "content-length": str(64 * 1024 * 1024 + 1)}
            assert (await client.post(PATH, content=b"{}", headers=large)).status_code == 413
            bomb = gzip.compress(b" " * (65 * 1024 * 1024), 1)
            packed = {**key, "content-encoding": "gzip"}
            assert (await client.post(PATH, content=bomb, headers=packed)).status_code == 413

    talk(run)


def test_reading_and_writing_ask_for_their_permissions(site: Site) -> None:
    async def run() -> None:
        read, work = await site.key("read"), await site.key("jobs:work")
        async with site.client() as client:
            assert (await client.get("/api/captures", headers=read)).status_code == 200
            assert (await client.post(PATH, content=recorded(REVIEW), headers=read)).status_code == 403
            assert (await client.get("/api/captures", headers=work)).status_code == 403
            assert (await client.get("/api/captures")).status_code == 401

    talk(run)
