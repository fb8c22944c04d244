"""Reports over HTTP: who may read which, what a download says of itself, what a form takes."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from sqlalchemy import insert

from atalaia.access.service.people import active_people
from atalaia.app.hub import Hub
from atalaia.core.ids import new_id
from atalaia.core.permissions import Role
from atalaia.integrations.cvepro.model.reports import MEDIA_TYPES, MOST_BYTES, Format, Report
from atalaia.integrations.cvepro.queries import reports
from atalaia.integrations.cvepro.tables import residents
from atalaia.sdk.transaction import Tx
from atalaia.store.files import StoreFiles
from tests.contract.access_site import _PROOF, Browser
from tests.contract.hub_site import visit_hub

NOW = datetime(2025, 1, 1, tzinfo=UTC)
HREF = "/cvepro/reports"
API = "/api/cvepro/reports"
PDF = b"%PDF-1.7 a paper"
Visit = Callable[[Hub, Browser], Awaitable[None]]


def kept(hub: Hub, title: str, flat: str | None, *, format: Format = Format.PDF, month: str = "2026-10") -> str:
    files = StoreFiles("cvepro", now=lambda: NOW)

    def unit(tx: Tx) -> str:
        file = files.keep(tx, name="x", media_type=MEDIA_TYPES[format], content=PDF)
        report = Report(
            id=new_id(),
            month=month,
            flat=flat,
            title=title,
            format=format,
            file_id=file.id,
            size_bytes=len(PDF),
            job_id="j1",
            created_by="t",
            created_at=NOW,
        )
        reports.add(tx, report)
        return report.id

    return hub.store.write_now(unit)


def moves_in(hub: Hub, flat: str) -> None:
    """Whoever visits lives there."""

    def unit(tx: Tx) -> None:
        (person,) = active_people(tx)
        row = {"id": new_id(), "name": "Ana", "flat": flat, "person_id": person.id, "locale": "pt-BR", "notices": []}
        tx.execute(insert(residents).values(**row, is_active=True, created_at=NOW, changed_at=NOW))

    hub.store.write_now(unit)


async def sent(browser: Browser, data: bytes, name: str = "conta.pdf", **fields: str) -> httpx.Response:
    """The form of an upload, as a browser sends it."""
    page = await browser.get(f"{HREF}/upload")
    found = _PROOF.search(page.text)
    assert found is not None
    given = {"csrf_token": found[1], "month": "2026-10", "title": "", "flat": "", **fields}
    files = {"file": (name, data, "application/octet-stream")}
    return await browser.client.post(f"{HREF}/upload", data=given, files=files, headers={"accept": "text/html"})


@pytest.mark.parametrize("role", [Role.CLIENT, Role.COLLABORATOR])
def test_a_resident_downloads_those_of_the_own_flat_and_hears_of_no_other(tmp_path: Path, role: Role) -> None:
    async def visit(hub: Hub, browser: Browser) -> None:
        moves_in(hub, "101")
        own, other, whole = (kept(hub, f"of {flat}", flat) for flat in ("101", "102", None))
        assert (await browser.get(f"{API}/{own}/file")).content == PDF
        for id_ in (other, whole, "none"):
            answer = await browser.get(f"{API}/{id_}/file", accept="application/json")
            assert answer.status_code == 404
            assert "102" not in answer.text
        for path in (API, HREF, f"{HREF}/rows", f"{HREF}/upload"):
            assert (await browser.get(path)).status_code == 403, path
        for method, path in (("POST", API), ("DELETE", f"{API}/{own}")):
            answer = await browser.client.request(method, path, json={"month": "2026-10"})
            assert answer.status_code == 403, (method, path)

    visit_hub(tmp_path, visit, role=role)


def test_who_is_linked_to_no_resident_reads_none(tmp_path: Path) -> None:
    async def visit(hub: Hub, browser: Browser) -> None:
        assert (await browser.get(f"{API}/{kept(hub, 'x', '101')}/file")).status_code == 404

    visit_hub(tmp_path, visit, role=Role.CLIENT)


def test_a_download_says_what_it_is_and_is_never_shown_as_a_page(tmp_path: Path) -> None:
    async def visit(hub: Hub, browser: Browser) -> None:
        id_ = kept(hub, 'Relatório "outubro"\u2028/../€', None, format=Format.CSV)
        answer = await browser.get(f"{API}/{id_}/file")
        assert answer.status_code == 200
        assert answer.headers["content-disposition"] == (
            "attachment; filename=\"Relat_rio outubro.csv\"; filename*=UTF-8''Relat%C3%B3rio%20outubro.csv"
        )
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"

    visit_hub(tmp_path, visit)


def test_an_upload_is_kept_beside_by_its_content_and_can_be_deleted(tmp_path: Path) -> None:
    async def visit(hub: Hub, browser: Browser) -> None:
        answer = await sent(browser, PDF, "fatura da luz.exe", flat="101")
        assert (answer.status_code, answer.headers["location"]) == (303, f"{HREF}?month=2026-10")
        page = await browser.get(f"{HREF}?month=2026-10")
        assert "fatura da luz" in page.text
        (item,) = (await browser.get(f"{API}?flat=101", accept="application/json")).json()["items"]
        assert (item["title"], item["format"], item["is_uploaded"]) == ("fatura da luz", "pdf", True)
        assert (await browser.get(item["file"])).content == PDF
        await browser.get(HREF)
        gone = await browser.post(HREF, {"do": "drop", "ids": item["id"], "shown": "2026-10"})
        assert gone.status_code == 303
        assert (await browser.get(item["file"], accept="application/json")).status_code == 404
        audit = hub.store.write_now(lambda tx: tx.raw("SELECT action FROM audit ORDER BY id"))
        assert [action for (action,) in audit if "report" in action] == [
            "cvepro.report_uploaded",
            "cvepro.report_deleted",
        ]

    visit_hub(tmp_path, visit, role=Role.MANAGER)


WRONG: tuple[tuple[bytes, dict[str, str], int, str], ...] = (
    (b"<script>alert(1)</script>", {}, 422, "This is no PDF"),
    (b"", {}, 422, "This file is empty."),
    (PDF, {"month": "2026-99"}, 422, "a month as 2026-01"),
    (PDF, {"title": "x" * 121}, 422, "at most 120 letters"),
    (b"%PDF-" + bytes(MOST_BYTES), {}, 422, "at most 20 MB"),
    (b"%PDF-" + bytes(MOST_BYTES + 200_000), {}, 413, ""),
)


def test_what_cant_be_kept_is_said_at_its_field_and_nothing_is(tmp_path: Path) -> None:
    async def visit(hub: Hub, browser: Browser) -> None:
        for data, fields, status, said in WRONG:
            answer = await sent(browser, data, **fields)
            assert answer.status_code == status, said
            assert said in answer.text
        assert hub.store.write_now(reports.months) == []

    visit_hub(tmp_path, visit)


def test_an_order_is_taken_once_and_a_wrong_one_named(tmp_path: Path) -> None:
    async def visit(_hub: Hub, browser: Browser) -> None:
        await browser.get(HREF)
        made = await browser.post(HREF, {"month": "2026-10", "which": "all", "flat": ""})
        assert (made.status_code, made.headers["location"]) == (303, f"{HREF}?month=2026-10")
        page = (await browser.get(f"{HREF}?month=2026-10")).text
        assert page.count("data-order=") == 1
        again = await browser.post(HREF, {"month": "2026-10", "which": "all", "flat": ""})
        assert again.status_code == 303
        assert (await browser.get(HREF)).text.count("data-order=") == 1
        wrong = (
            {"month": "", "which": "all"},
            {"month": "2026-10", "which": "each"},
            {"month": "2026-10", "which": "flat"},
        )
        for fields in wrong:
            answer = await browser.post(HREF, fields)
            assert answer.status_code == 422, fields
            assert "Nothing was done." in answer.text

    visit_hub(tmp_path, visit)


def test_a_wrong_filter_of_the_list_is_a_422(tmp_path: Path) -> None:
    async def visit(_hub: Hub, browser: Browser) -> None:
        for query in ("?month=x", "?limit=0", "?limit=²", "?flat=%07", "?cursor=%07"):
            answer = await browser.get(f"{API}{query}", accept="application/json")
            assert answer.status_code == 422, answer.text
            assert (await browser.get(f"{HREF}{query}")).status_code == 200

    visit_hub(tmp_path, visit)
