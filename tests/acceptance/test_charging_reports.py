"""A month's reports on a real hub: made by a job, complete and once also when the hub is killed amid it, cancelled without a trace."""

from io import BytesIO
from typing import Any

import pytest
from openpyxl import load_workbook

from atalaia.cli.stores import opened_store
from tests import pdf_text
from tests.acceptance.calls import Client
from tests.acceptance.conftest import MakeHub
from tests.acceptance.hub import Hub
from tests.charging_house import House
from tests.servers import wait_until

MONTH = "2026-10"
FLATS = 80
PAPERS = 2 * (FLATS + 1)
ENV = {"ATALAIA_CVEPRO_CONDOMINIUM": "Condomínio São João", "ATALAIA_CVEPRO_REPORT_LOCALE": "en"}
END_S = 120  # for a machine that does much else besides


@pytest.fixture
def house(make_hub: MakeHub) -> Hub:
    hub = make_hub(env=ENV).start()
    with opened_store(hub.data_dir, None) as store:
        store.write_now(House(FLATS, 400).furnish)
    return hub


def ordered(hub: Hub) -> str:
    answer = hub.client("write").post("/api/cvepro/reports", {"month": MONTH})
    assert answer.status == 202
    return str(answer.json["job_id"])


def job(hub: Hub, id: str) -> Any:
    return hub.client("read").get(f"/api/jobs/{id}").json


def drawn(hub: Hub, id: str) -> int:
    """How many papers the job has told of."""
    return max((step["data"].get("done", 0) for step in job(hub, id)["steps"]), default=0)


def reports(client: Client) -> list[Any]:
    return client.items(f"/api/cvepro/reports?month={MONTH}&limit=200")


def await_end(hub: Hub, id: str) -> Any:
    wait_until(lambda: job(hub, id)["status"] not in {"pending", "processing"}, what="the job's end", timeout_s=END_S)
    return job(hub, id)


def test_a_hub_that_is_killed_amid_it_makes_them_all_and_once(house: Hub) -> None:
    job_id = ordered(house)
    wait_until(lambda: drawn(house, job_id) > 0, what="some papers", timeout_s=END_S)
    house.kill()
    house.start()
    reader = house.client("read")
    assert len(reports(reader)) in {0, PAPERS}
    done = await_end(house, job_id)
    assert (done["status"], done["result"]) == ("completed", {"papers": PAPERS, "sessions": 400})
    found = reports(reader)
    assert len(found) == PAPERS == len({(each["flat"], each["format"]) for each in found})
    sums_agree(reader, found)


def sums_agree(reader: Client, found: list[Any]) -> None:
    """The spreadsheet of the whole has each flat with what its own paper says."""
    whole = next(each for each in found if each["flat"] is None and each["format"] == "xlsx")
    summary = load_workbook(BytesIO(reader.get(whole["file"]).body)).worksheets[0]
    costs = {str(row[0].value): row[7].value for row in summary.iter_rows(min_row=6)}
    for flat in ("101", "205"):
        paper = next(each for each in found if each["flat"] == flat and each["format"] == "pdf")
        answer = reader.get(paper["file"])
        assert answer.headers["content-type"] == "application/pdf"
        assert f"R$ {costs[flat]:,.2f}" in pdf_text.pages(answer.body)[0]


def test_one_that_is_cancelled_leaves_nothing_and_the_next_makes_them(house: Hub) -> None:
    job_id = ordered(house)
    again = house.client("write").post("/api/cvepro/reports", {"month": MONTH}).json
    assert (again["job_id"], again["is_new"]) == (job_id, False)
    wait_until(lambda: 0 < drawn(house, job_id) < PAPERS, what="some papers", timeout_s=END_S)
    assert house.client("jobs:create").post(f"/api/jobs/{job_id}/cancel", {}).status in {200, 202}
    assert await_end(house, job_id)["status"] == "cancelled"
    reader = house.client("read")
    assert reports(reader) == []
    next_id = ordered(house)
    assert next_id != job_id
    assert await_end(house, next_id)["status"] == "completed"
    assert len(reports(reader)) == PAPERS
