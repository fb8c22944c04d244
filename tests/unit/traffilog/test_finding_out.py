"""A run that may have been executed is asked for at the third party; what that does not say stays unknown."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from atalaia.integrations.traffilog.flows import resolve_execution, run_verify_scheme
from atalaia.integrations.traffilog.payloads import SchemeBuilder
from atalaia.integrations.traffilog.steps import EXECUTE
from atalaia.runs.outcome import Ended, perform
from atalaia.runs.run import Assignment, Mode, Run
from atalaia.sdk.jobs import Handler, JobType, StepRecord
from atalaia.sdk.upstreams import Token
from tests.unit.runs.test_runs import Record
from tests.unit.traffilog.test_conversation import BUILT_IN, TOKEN, Line, ok

SETTINGS = {
    "ws_url": "wss://there",
    "app_guid": "G",
    "origin": "",
    "user_agent": "",
    "accept_language": "",
    "answer_s": 0.05,
    "resubscribe_s": 0.01,
    "whole_s": 0.2,
}
EARLIER = [StepRecord(1, EXECUTE, "irreversible", {"rid": "j1-1", "pid": "7"}, 1)]


class Upstream:
    def __init__(self, answer: Callable[[str], list[str]]) -> None:
        self._answer = answer

    @asynccontextmanager
    async def socket(self, _operation: str, address: Callable[[Token], str], **_more: Any) -> AsyncIterator[Line]:
        address(TOKEN)
        yield Line(self._answer)


def ended(answer: Callable[[str], list[str]], *, handler: Handler = resolve_execution, mode: Mode = "resolve") -> Ended:
    payload = SchemeBuilder(1, "Zé", 2, 3, "oi")
    given = Assignment("j1", "t", 2, "{}", payload, mode, SETTINGS, BUILT_IN, EARLIER)
    run = Run(given, line=Record(), upstream=lambda: Upstream(answer))  # type: ignore[arg-type, return-value]
    job_type = JobType(name="t", title="t", payload=SchemeBuilder, run=handler, resolve=handler)
    return asyncio.run(perform(job_type, run, within_s=60))


def history(*items: dict[str, Any]) -> Callable[[str], list[str]]:
    def answer(mtkn: str) -> list[str]:
        return [json.dumps({"mtkn": mtkn, "action_value": "0", "response": {"properties": {"data": list(items)}}})]

    return answer


def process(comment: str, status: str, **more: Any) -> dict[str, Any]:
    return {"comment": comment, "status": status, "process_id": "7", **more}


@pytest.mark.parametrize("value", ["403", "404", "500"])
def test_a_history_that_can_not_be_asked_says_nothing_about_the_run(value: str) -> None:
    """It was told as the failure of a job that had been executed."""
    found = ended(lambda mtkn: [ok(mtkn, value)])
    assert found.outcome == "uncertain"
    assert found.error is not None
    assert value in found.error.message


def test_what_the_history_says_is_the_outcome() -> None:
    assert ended(history(process("oi #rid=j1-1 #pid=7", "Completed"))).outcome == "succeeded"
    assert ended(history(process("oi #rid=j1-1 #pid=7", "Error"))).outcome == "failed"
    assert ended(history(process("oi #rid=j1-12 #pid=7", "Completed"))).outcome == "uncertain"


def test_a_mark_that_came_with_a_copied_comment_is_not_the_runs_own() -> None:
    """Somebody starts a job with the comment that the third party's history shows of another."""
    copied = process("oi #rid=j1-1 #pid=7 #rid=j2-1 #pid=8", "Completed")
    assert ended(history(copied)).outcome == "uncertain"
    assert ended(history(copied, process("oi #rid=j1-1 #pid=7", "Error"))).outcome == "failed"


@pytest.mark.parametrize("error", [{"code": 5}, ["offline"], True, 12])
def test_an_error_of_another_type_is_no_success(error: Any) -> None:
    assert ended(history(process("#rid=j1-1", "Completed", error=error))).outcome == "failed"


def test_the_setting_of_another_vehicle_verifies_nothing() -> None:
    def verified(*items: dict[str, Any]) -> str:
        return ended(history(*items), handler=run_verify_scheme, mode="run").outcome

    other, own = (
        {"vehicle_id": "9", "vehicle_setting_id": "3"},
        {"vehicle_id": 2, "vehicle_setting_id": "3"},
    )
    assert verified(other) == "failed"
    assert verified(other, own) == "succeeded"
    assert verified({"vehicle_setting_id": "3"}) == "succeeded"
