"""Jobs from the page: started with a form, watched live, and what the page says and offers under each fault of the other side."""

import json
import os
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from atalaia.integrations.traffilog.frames import SAMPLES
from tests.acceptance.fleet import Fleet
from tests.acceptance.hub import ADMIN, PASSWORD
from tests.acceptance.worker import await_job
from tests.browser.conftest import OpenContext, press_and_agree, sign_in
from tests.servers import wait_until

LIVE_MS = 60_000
JOB_MS = 240_000  # a job has many steps, and this machine other things to do
pytestmark = pytest.mark.timeout(900)
STOPPED_S = 300  # for so long a worker that is stopped keeps its job
_vehicles = count(5000)


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    with Fleet(tmp_path_factory.mktemp("fleet"), ttl_s=STOPPED_S).started() as fleet:
        fleet.hub.make_admin()
        yield fleet


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Where who does not answer is not waited for long: a machine that stands still is taken for one that does not."""
    limits = {"ANSWER_S": "5", "SILENT_S": "1", "SILENT_LIMIT_S": "1"}
    with Fleet(tmp_path_factory.mktemp("hasty"), settings=limits).started() as fleet:
        fleet.hub.make_admin()
        yield fleet


@pytest.fixture(autouse=True)
def calm(fleet: Fleet) -> None:
    """What a test before did to the third party holds nothing back, and somebody is there to work."""
    assert fleet.workers[0].is_running, fleet.workers[0].output
    fleet.fault()
    answer = fleet.hub.client("admin").post("/api/upstreams/traffilog/breaker/reset", {})
    assert answer.status in {200, 204}, answer.text


@pytest.fixture
def page(open_context: OpenContext, fleet: Fleet) -> Page:
    page = open_context().new_page()
    sign_in(page, fleet.hub, ADMIN, PASSWORD)
    return page


def _fill(page: Page, vehicle: int) -> None:
    for name, value in (
        ("clientId", str(vehicle)),
        ("clientName", "Transportes Zé"),
        ("vehicleId", str(vehicle)),
        ("vehicleSettingId", "91"),
        ("comment", "troca"),
    ):
        page.fill(f"[name={name}]", value)


def _start(page: Page, fleet: Fleet) -> int:
    """A job started with the form, its page open; its vehicle."""
    vehicle = next(_vehicles)
    page.goto(f"{fleet.hub.url}/jobs/new?type=scheme_builder")
    _fill(page, vehicle)
    page.click("main form.form button[type=submit]")
    page.wait_for_url(re.compile(r"/jobs/[0-9a-f-]{36}$"))
    return vehicle


def _verdict(page: Page, word: str) -> None:
    expect(page.locator(".verdict-text")).to_have_text(word, timeout=JOB_MS)


def _step(page: Page, name: str) -> Any:
    return page.locator(".job-step", has=page.locator("strong", has_text=re.compile(f"^{re.escape(name)}$"))).first


@contextmanager
def _waiting_for_the_unit(fleet: Fleet, job_id: str) -> Iterator[None]:
    """Its worker stands still in the middle of that step, for as long as somebody looks."""

    def is_heard_of() -> bool:
        steps = [each for each in fleet.job(job_id)["steps"] if each["name"] == "wait_for_unit"]
        return any("progress" in (each.get("data") or {}) for each in steps)

    wait_until(is_heard_of, what="news of the unit")
    os.kill(fleet.workers[0].pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(fleet.workers[0].pid, signal.SIGCONT)


def test_a_job_is_started_from_the_page_and_watched_to_its_end(page: Page, fleet: Fleet) -> None:
    fleet.fault(progress_step=5, progress_interval_s=0.4)
    page.goto(f"{fleet.hub.url}/jobs")
    page.click("text=Start a job")
    page.click("text=Assign a setting")
    vehicle = next(_vehicles)
    _fill(page, vehicle)
    page.click("main form.form button[type=submit]")
    page.wait_for_url(re.compile(r"/jobs/[0-9a-f-]{36}$"))
    page.evaluate("window.isSamePage = true")
    with _waiting_for_the_unit(fleet, page.url.rpartition("/")[2]):
        _verdict(page, "Running")
        expect(page.locator(".about")).to_contain_text(f"Vehicle's id {vehicle}", use_inner_text=True)
        waiting = _step(page, "wait_for_unit")
        expect(waiting).to_contain_text("Running", timeout=LIVE_MS)
        expect(waiting.locator("progress")).to_have_count(1)
        expect(page.locator(".verdict [data-elapsed]")).to_have_text(re.compile(r"\d+ s"))
        # What the reader opens stays open while its part is fetched anew.
        asked = _step(page, "get_vehicle_info")
        asked.locator("summary").first.click()
    _verdict(page, "Completed")

    assert page.evaluate("window.isSamePage === true")
    expect(asked.locator(".said")).to_be_visible()
    expect(asked).to_contain_text("mtkn")
    expect(asked).to_contain_text('"session_token": "***"')
    asked.get_by_text("Exactly as it is").first.click()
    expect(asked.locator(".raw code").first).to_have_text(re.compile(r'^\{"action":\{"flow_id":"6\d{5}","name":"get_'))
    expect(_step(page, "execute_action_opr")).to_contain_text("can't be undone")
    expect(page.locator("main")).to_contain_text('"processId"')
    assert len(fleet.executions(vehicle)) == 1


def test_a_wrong_field_is_named_and_nothing_typed_is_lost(page: Page, fleet: Fleet, complaints: list[str]) -> None:
    page.goto(f"{fleet.hub.url}/jobs/new?type=scheme_builder")
    _fill(page, 1)
    page.fill("[name=vehicleId]", "seven")
    page.click("main form.form button[type=submit]")
    expect(page.locator("form [role=alert]")).to_be_focused()
    expect(page.locator("#e-vehicleId")).to_have_text("This must be a number.")
    expect(page.locator("[name=clientName]")).to_have_value("Transportes Zé")
    complaints.clear()  # the browser's own word about the status 422


def test_the_same_form_sent_twice_is_one_job(page: Page, fleet: Fleet) -> None:
    fleet.fault(progress_step=50, progress_interval_s=0.1)
    vehicle = next(_vehicles)
    page.goto(f"{fleet.hub.url}/jobs/new?type=scheme_builder")
    _fill(page, vehicle)
    sent = page.evaluate("Object.fromEntries(new FormData(document.querySelector('main form.form')))")
    address = f"{fleet.hub.url}/jobs/new"
    led = {page.request.post(address, form=sent, max_redirects=0).headers["location"] for _ in range(2)}
    assert len(led) == 1
    page.goto(fleet.hub.url + led.pop())
    _verdict(page, "Completed")
    assert len(fleet.executions(vehicle)) == 1


@dataclass(frozen=True, slots=True)
class Case:
    """Faults that are on, what the page comes to say, and what it offers."""

    name: str
    faults: dict[str, Any]
    word: str
    said: tuple[str, ...] = ()
    offered: str = "Start again"
    is_about_waiting: bool = False


def once(value: Any = True) -> dict[str, Any]:
    return {"value": value, "times": 1}


CASES = (
    Case(
        "wrong type",
        {"wrong_type_403": True, "only_actions": ["get_vehicle_info"]},
        "Failed",
        ("Refused: 403", "open the comparison", "template in force", "forbidden"),
        "Open the comparison",
    ),
    Case("answers out of order", {"reorder_answers": True}, "Completed"),
    Case("first review is not ready", {"review_404": 1}, "Completed", ("get_vcls_action_review_opr (2)", '"404"')),
    Case("silent unit", {"silent_unit": True}, "Failed", ("The unit was silent", "silent_unit"), is_about_waiting=True),
    Case("empty progress", {"empty_progress": True}, "Completed"),
    Case("token expired", {"token_expired": True}, "Completed"),
    Case("cut behind execute", {"cut_after_execute": once()}, "Completed", ("Finding out what happened", "Try 1")),
    Case(
        "answer late",
        {"answer_late": 60, "only_actions": ["get_vehicle_info"]},
        "Will be tried again",
        (
            "No answer in time",
            "No frame with the mtkn",
            "The next try is due",
            "Nothing came that belongs to this frame",
        ),
        "Open the upstream",
        is_about_waiting=True,
    ),
    Case(
        "socket cut after a frame",
        {"cut_after_frame": 3},
        "Will be tried again",
        ("The connection was cut", "The WebSocket was closed"),
        "Cancel the job",
    ),
    Case(
        "unit reports an error",
        {"push_error": "no power"},
        "Failed",
        ("The unit reports an error", "no power", "unit_error"),
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_the_page_says_and_offers_under_a_fault(
    page: Page, fleet: Fleet, case: Case, request: pytest.FixtureRequest
) -> None:
    if case.is_about_waiting:
        fleet = request.getfixturevalue("hasty")
        sign_in(page, fleet.hub, ADMIN, PASSWORD)
    fleet.fault(**{"progress_step": 50, "progress_interval_s": 0.1} | case.faults)
    _start(page, fleet)
    _verdict(page, case.word)
    for said in case.said:
        expect(page.locator("#job-now")).to_contain_text(said, use_inner_text=False)
    expect(page.locator("#job-now").get_by_text(case.offered).first).to_be_visible()
    if case.offered == "Cancel the job":
        press_and_agree(page.locator("text=Cancel the job"))
        _verdict(page, "Cancelled")


def test_an_unknown_outcome_is_decided_by_a_person_on_the_page(page: Page, fleet: Fleet) -> None:
    fleet.fault(cut_before_execute=once(), progress_step=50, progress_interval_s=0.1)
    vehicle = _start(page, fleet)
    _verdict(page, "Outcome unknown")
    expect(page.locator("#job-now")).to_contain_text("does not show the run")
    expect(_step(page, "execute_action_opr").locator("visible=true")).to_have_count(0)  # folded: an earlier try
    page.goto(f"{fleet.hub.url}/jobs")
    expect(page.locator("#rows tbody tr").first).to_contain_text("Outcome unknown")  # before all else
    page.go_back()
    press_and_agree(page.locator("text=It did not happen: start again"))
    _verdict(page, "Completed")
    assert len(fleet.executions(vehicle)) == 1


def test_what_was_done_though_nobody_knew_is_confirmed_by_a_person(page: Page, fleet: Fleet) -> None:
    fleet.fault(push_status="Disconnected", progress_step=50, progress_interval_s=0.1)
    vehicle = _start(page, fleet)
    _verdict(page, "Outcome unknown")
    press_and_agree(page.locator("text=It happened"))
    _verdict(page, "Completed")
    expect(page.locator("main")).to_contain_text("confirmedBy")
    assert len(fleet.executions(vehicle)) == 1


@contextmanager
def _captured(fleet: Fleet, change: Callable[[str], str]) -> Iterator[None]:
    """While a capture is in force in which `get_vehicle_info` has another form."""
    samples = {each["action"]: each["sample"] for each in json.loads(SAMPLES.read_text())}
    line = {"atalaia_capture": 1, "raw": change(samples["get_vehicle_info"]), "address": "wss://third.example/json"}
    body = json.dumps(line, separators=(",", ":")).encode()
    client = fleet.hub.client("admin")
    answer = client.request(
        "POST", "/api/captures?upstream=traffilog", body=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status == 201, answer.text
    try:
        yield
    finally:
        put_back = client.post("/api/upstreams/traffilog/templates/get_vehicle_info/activate", {"version": 0})
        assert put_back.status == 200, put_back.text


def test_a_departing_payload_is_shown_by_place_and_type_beside_its_capture(page: Page, fleet: Fleet) -> None:
    with _captured(fleet, lambda frame: frame.replace('"client_id":"123"', '"client_id":123')):
        vehicle = _start(page, fleet)
        _verdict(page, "Failed")
    expect(page.locator(".trouble h2")).to_have_text("The payload departs from the capture")
    rows = page.locator(".departed-table tbody tr")
    expect(rows.filter(has_text="parameters.client_id").locator(".side-a")).to_contain_text("number")
    expect(rows.filter(has_text="parameters.client_id").locator(".side-b")).to_contain_text("string")
    expect(page.locator("#departures")).to_contain_text("was not sent")
    page.locator("#departures dd a").click()
    page.wait_for_url(re.compile(r"/captures/templates/traffilog/get_vehicle_info"))
    assert fleet.executions(vehicle) == []


def test_a_job_that_waits_says_for_what(page: Page, fleet: Fleet) -> None:
    fleet.fault(progress_step=5, progress_interval_s=0.5)
    vehicle = next(_vehicles)
    first = fleet.start_job(vehicle=vehicle, client=vehicle)
    second = fleet.start_job(vehicle=vehicle, client=vehicle)
    with _waiting_for_the_unit(fleet, first):
        page.goto(f"{fleet.hub.url}/jobs/{second}")
        _verdict(page, "Waiting")
        page.click("text=Another job of the same key goes first.")
        page.wait_for_url(f"**/jobs/{first}")
        press_and_agree(page.locator("text=Cancel the job"))
        expect(page.locator("#job-now")).to_contain_text("Cancelling was asked for")
    fleet.fault(progress_step=50, progress_interval_s=0.1)
    await_job(fleet.app, second)


def test_a_worker_is_drained_and_takes_jobs_again(page: Page, fleet: Fleet) -> None:
    page.goto(f"{fleet.hub.url}/jobs/workers")
    row = page.locator("#rows tbody tr", has_text="worker-1")
    expect(row).to_contain_text(re.compile("Idle|Working"))
    press_and_agree(row.get_by_role("button", name="Drain"))
    expect(row).to_contain_text("Draining", timeout=LIVE_MS)
    page.goto(f"{fleet.hub.url}/jobs/new?type=scheme_builder")
    expect(page.locator(".banner.warning:not([hidden])")).to_contain_text("draining")
    page.goto(f"{fleet.hub.url}/jobs/workers")
    row.get_by_role("button", name="Take jobs again").click()
    expect(row).to_contain_text(re.compile("Idle|Working"), timeout=LIVE_MS)
    # One that has heard the word in between ends, as it should, and every test after this would wait for a worker.
    fleet.workers[0].kill()
    fleet.workers[0].launch()


def test_the_upstreams_page_tells_the_state_of_the_token(page: Page, fleet: Fleet) -> None:
    fleet.fault(progress_step=50, progress_interval_s=0.1)
    fleet.finish(fleet.start_job(vehicle=next(_vehicles)))
    page.goto(f"{fleet.hub.url}/upstreams/traffilog")
    token = page.locator(".card", has=page.locator("h2", has_text=re.compile("^Token$")))
    expect(token).to_contain_text("In force")
    expect(token).to_contain_text("42 characters")
