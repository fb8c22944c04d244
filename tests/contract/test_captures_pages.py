"""Pages of captures: import by a form, frames by action, templates with their history, a typed diff."""

import asyncio
import re
import tempfile
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from atalaia.core.permissions import Role
from tests.contract.access_site import _PROOF, Browser
from tests.contract.captures_site import Site, opened_site
from tests.fakes import FakeClock
from tests.store.captures_kit import UPSTREAM, recorded
from tests.unit.captures.recorded import SECRETS, frame, har, socket_entry

REVIEW = frame("review", '"client_id":"77","call_num":"0",')


@pytest.fixture
def site(tmp_path: Path, clock: FakeClock) -> Iterator[Site]:
    with opened_site(tmp_path, clock) as made:
        yield made


def talk(conversation: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(conversation())


async def send(browser: Browser, data: bytes, *, proof: str | None = None, **headers: str) -> httpx.Response:
    """The import form, as a browser sends it."""
    page = await browser.get("/captures")
    found = _PROOF.search(page.text)
    assert found is not None
    fields = {"csrf_token": found[1] if proof is None else proof, "upstream": UPSTREAM, "name": "Gravação <1>"}
    files = {"file": ("operation.har", data, "application/octet-stream")}
    accept = {"accept": "text/html", **headers}
    return await browser.client.post("/captures", data=fields, files=files, headers=accept)


def test_without_captures_the_page_tells_how_to_make_one(site: Site) -> None:
    async def run() -> None:
        browser = await site.browser()
        page = (await browser.get("/captures")).text
        assert "No captures yet" in page
        assert "Include raw bytes" in page
        assert "WebSocket.prototype.send" in page
        portuguese = (await browser.get("/captures", **{"accept-language": "pt-BR"})).text
        assert "Nenhuma captura ainda" in portuguese

    talk(run)


def test_a_file_is_imported_by_the_form_and_shown_on_all_pages(site: Site) -> None:
    async def run() -> None:
        browser = await site.browser()
        made = await send(browser, recorded(REVIEW))
        assert made.status_code == 303, made.text
        here = made.headers["location"]
        again = await send(browser, recorded(REVIEW))
        assert again.headers["location"] == f"{here}?known=1"
        other = await send(browser, recorded(REVIEW.replace('"call_num":"0"', '"call_num":0')))
        a, b = here.rpartition("/")[2], other.headers["location"].rpartition("/")[2]
        template = f"/captures/templates/{UPSTREAM}/review"
        seen = {}
        for path in ("/captures", "/captures/rows", here, f"{here}?action=review", f"{here}?known=1", f"{here}?action=",
                     "/captures/diff", f"/captures/diff?a={a}&b={b}", f"/captures/diff?a={a}&b={a}",
                     "/captures/templates", template, f"{template}?version=1", f"{template}?version=0"):  # fmt: skip
            for language in ("en", "pt-BR"):
                answer = await browser.get(path, **{"accept-language": language})
                assert answer.status_code == 200, (path, answer.text)
                assert [secret for secret in SECRETS if secret in answer.text] == [], path
                seen[path, language] = answer.text
        assert "Gravação &lt;1&gt;" in seen["/captures", "en"]
        assert "&quot;call_num&quot;:&quot;0&quot;" in seen[f"{here}?action=review", "en"]
        diff = seen[f"/captures/diff?a={a}&b={b}", "en"]
        assert "parameters.call_num" in diff
        assert "another type" in diff
        assert "outro tipo" in seen[f"/captures/diff?a={a}&b={b}", "pt-BR"]
        assert "Both have the same form" in seen[f"/captures/diff?a={a}&b={a}", "en"]
        assert "new each time" in seen[template, "en"]

    talk(run)


def test_an_earlier_version_is_put_in_force_from_the_page(site: Site) -> None:
    async def run() -> None:
        browser = await site.browser()
        await send(browser, recorded(REVIEW))
        address = f"/captures/templates/{UPSTREAM}/review"
        page = await browser.get(address)
        assert "Put in force" in page.text
        done = await browser.post(f"{address}/activate", {"version": "0"})
        assert done.status_code == 303
        active = await site.captures.active_templates(UPSTREAM)
        assert active.templates["review"].version == 0
        assert (await browser.post(f"{address}/activate", {"version": "x"})).status_code == 422

    talk(run)


def test_a_capture_is_deleted_from_its_page_and_its_templates_say_so(site: Site) -> None:
    async def run() -> None:
        browser = await site.browser()
        shown = (await send(browser, recorded(REVIEW))).headers["location"]
        page = (await browser.get(shown)).text
        assert "Delete Gravação &lt;1&gt;? Templates made of it stay." in page
        done = await browser.post(f"{shown}/delete")
        assert (done.status_code, done.headers["location"]) == (303, "/captures")
        assert (await browser.get(shown)).status_code == 404
        assert "a capture that was deleted" in (await browser.get(f"/captures/templates/{UPSTREAM}/review")).text
        manager = await site.browser(Role.MANAGER)
        assert (await manager.post(f"{shown}/delete")).status_code == 403

    talk(run)


def test_a_refused_file_is_told_in_the_form_with_what_to_do(site: Site) -> None:
    async def run() -> None:
        browser = await site.browser()
        refused = await send(browser, har(socket_entry(None, cookie=False)))
        assert refused.status_code == 422
        assert "without the WebSocket" in refused.text
        assert "Export HAR (with sensitive data)" in refused.text
        assert "Gravação &lt;1&gt;" in refused.text  # what was typed is still there
        empty = await send(browser, b"")
        assert (empty.status_code, "choose a file" in empty.text) == (422, True)

    talk(run)


def test_a_form_that_is_not_of_the_session_is_refused(site: Site) -> None:
    async def run() -> None:
        browser = await site.browser()
        assert (await send(browser, recorded(REVIEW), proof="nonsense")).status_code == 403
        assert (await browser.client.post("/captures", headers={"accept": "text/html"})).status_code == 403
        manager = await site.browser(Role.MANAGER)
        page = await manager.get("/captures")
        assert (page.status_code, "Import a capture" in page.text) == (200, False)
        assert (await manager.client.post("/captures", files={"file": b"x"})).status_code == 403

    talk(run)


def test_a_large_file_never_touches_the_disk(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The framework's own forms go into a temporary file from 1 MB on, with the secrets in it."""

    def refuse(*_arguments: Any, **_options: Any) -> Any:
        raise AssertionError("a temporary file was made")

    for name in ("SpooledTemporaryFile", "TemporaryFile", "NamedTemporaryFile"):
        monkeypatch.setattr(tempfile, name, refuse)

    async def run() -> None:
        browser = await site.browser()
        made = await send(browser, recorded(REVIEW) + b" " * (3 * 1024 * 1024))
        assert made.status_code == 303

    talk(run)


def test_where_no_upstream_has_frames_the_page_says_so(tmp_path: Path, clock: FakeClock) -> None:
    async def run(site: Site) -> None:
        browser = await site.browser()
        assert "No upstream has frames" in (await browser.get("/captures")).text
        assert (await browser.get("/captures/templates")).status_code == 200

    with opened_site(tmp_path, clock, sources={}) as site:
        asyncio.run(run(site))


def test_a_page_shows_no_more_of_frames_and_differences_than_can_be_read(site: Site) -> None:
    """Two captures of 6,000 frames were a page of 88 MB."""

    async def run() -> None:
        browser = await site.browser()
        await send(browser, recorded(*[frame(f"a{n}", f'"k":"{"v" * 30_000 if n == 0 else 1}",') for n in range(30)]))
        texts = [frame(f"a{n}", "".join(f'"k{key}":"{n}",' for key in range(60))) for n in range(30)]
        await send(browser, recorded(*texts))
        page = (await browser.get("/captures")).text
        newer, older = re.findall(r'href="/captures/([0-9a-f-]{36})"', page)[:2]
        frames = (await browser.get(f"/captures/{older}?action=a0")).text
        assert "more characters are not shown here" in frames
        assert len(frames) < 60_000
        diff = (await browser.get(f"/captures/diff?a={older}&b={newer}")).text
        assert "11 more differences are not shown here" in diff
        assert diff.count('class="side-a"') == 500

    talk(run)
