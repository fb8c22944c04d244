"""Fleet commands end to end: what becomes of a job under each fault of the third party, by the third party's own book."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.fleet import Fleet

pytestmark = pytest.mark.acceptance
_vehicles = itertools.count(1000)


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    with Fleet(tmp_path_factory.mktemp("fleet")).started() as fleet:
        fleet.fault(progress_step=50, progress_interval_s=0.1)
        yield fleet


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    faults: dict[str, Any]
    status: str
    executions: int
    failure: str | None = None
    said: str = ""
    attempts: int | None = 1


def once(value: Any = True) -> dict[str, Any]:
    return {"value": value, "times": 1}


CASES = [
    Case("nothing wrong", {}, "completed", 1),
    Case("percent-encoded", {"percent_encode": True}, "completed", 1),
    Case("in fragments", {"fragment": True}, "completed", 1),
    Case("padded", {"nul_padding": True}, "completed", 1),
    Case("others' frames between", {"interleave_foreign_frames": True}, "completed", 1),
    Case("out of order", {"reorder_answers": True}, "completed", 1),
    Case("slow answers", {"answer_delay_ms": 100}, "completed", 1),
    Case("review not ready", {"review_404": 1}, "completed", 1),
    Case("review never ready", {"review_404": 99}, "error", 0, "review_not_ready", attempts=3),
    Case("empty progress", {"empty_progress": True}, "completed", 1),
    # A second login right behind another (the tests run in any order) waits its turn, and so does the job.
    Case("token expired", {"token_expired": True}, "completed", 1, attempts=None),
    Case("session refused", {"session_rejected": once()}, "completed", 1, attempts=None),
    Case(
        "session refused at execute",
        {"session_rejected": once(), "only_actions": ["execute_action_opr"]},
        "completed",
        1,
        attempts=None,
    ),
    Case("slot busy", {"slot_busy": once()}, "completed", 1, attempts=2),
    Case("wrong type", {"wrong_type_403": True, "only_actions": ["get_vehicle_info"]}, "error", 0, "forbidden", "403"),
    Case(
        "raw error without mtkn",
        {"wrong_type_403": True, "raw_error_without_mtkn": True, "only_actions": ["get_vehicle_info"]},
        "error",
        0,
        "forbidden",
        "action forbidden",
    ),
    Case("execute refused", {"wrong_type_403": True, "only_actions": ["execute_action_opr"]}, "error", 0, "refused"),
    Case("cut behind execute", {"cut_after_execute": once()}, "completed", 1),
    Case(
        "cut behind execute, and slow",
        {"cut_after_execute": once(), "progress_step": 10, "progress_interval_s": 0.2},
        "completed",
        1,
    ),
    Case("cut before execute", {"cut_before_execute": once()}, "error", 0, "outcome_unknown", "does not show the run"),
    Case("unit reports an error", {"push_error": "no power"}, "error", 1, "unit_error", "no power"),
    Case("unit disconnected", {"push_status": "Disconnected"}, "error", 1, "outcome_unknown", "Disconnected"),
    Case("batch timeout", {"push_status": "Batch Timeout"}, "error", 1, "outcome_unknown", "Batch Timeout"),
]


# Settings, and what is waited for in vain: short where the end of the wait is the subject, and there alone.
IMPATIENT = [
    (
        {"ANSWER_S": "1"},
        Case(
            "answer too late",
            {"mute": ["get_vehicle_info"]},
            "error",
            0,
            "upstream_temporary",
            "No frame with the mtkn",
            3,
        ),
    ),
    (
        {"SILENT_S": "0.5", "SILENT_LIMIT_S": "0.5"},
        Case("silent unit", {"silent_unit": True}, "error", 1, "silent_unit"),
    ),
]


@pytest.mark.parametrize(("settings", "case"), IMPATIENT, ids=[case.name for _, case in IMPATIENT])
def test_what_becomes_of_a_job_that_waits_in_vain(tmp_path: Path, settings: dict[str, str], case: Case) -> None:
    with Fleet(tmp_path, settings=settings).started() as fleet:
        it_becomes_so(fleet, case)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_becomes_of_a_job(fleet: Fleet, case: Case) -> None:
    it_becomes_so(fleet, case)


def it_becomes_so(fleet: Fleet, case: Case) -> None:
    vehicle = next(_vehicles)
    fleet.fault(**{"progress_step": 50, "progress_interval_s": 0.1} | case.faults)

    job = fleet.finish(fleet.start_job(vehicle=vehicle, client=vehicle))

    found = fleet.executions(vehicle)
    assert (job["status"], len(found)) == (case.status, case.executions), job["error"]
    assert case.attempts in {None, job["attempts"]}, job["steps"]
    if case.failure is not None:
        assert job["error"]["class"] == case.failure
        assert case.said in job["error"]["message"]
    if job["status"] == "completed":
        assert job["result"]["processId"] == str(found[0]["process_id"])
        assert f"#pid={found[0]['process_id']}" in found[0]["comment"]
