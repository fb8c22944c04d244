"""What execute makes of frames that come before it."""

import asyncio
import itertools
from typing import Any

import pytest

from atalaia.integrations.traffilog.payloads import SchemeBuilder
from atalaia.integrations.traffilog.session import Session
from atalaia.integrations.traffilog.steps import Vehicle, associate, execute, open_associate, subscribe
from atalaia.integrations.traffilog.waiting import wait_for_unit
from atalaia.runs.run import Assignment, Run
from atalaia.sdk.failures import TemporaryFailure
from atalaia.sdk.jobs import JobFailed, StepRecord
from tests.unit.runs.test_runs import Record
from tests.unit.traffilog.test_conversation import Line, ok, talk, talk_over

SETTINGS = {"answer_s": 0.05, "resubscribe_s": 5, "silent_s": 1, "silent_limit_s": 1, "whole_s": 5, "pause_s": 0.01}


def news(status: str, progress: str) -> str:
    item = f'{{"status":"{status}","progress":"{progress}","error":""}}'
    return f'{{"response":{{"properties":{{"action_name":"refresh","data_source":"UNIT_CONFIG_STATUS","data":[{item}]}}}}}}'


def test_how_the_last_process_ended_is_not_taken_for_this_one() -> None:
    """A subscription may be answered with the state of the unit's last process, which is Completed as a rule."""
    frames = itertools.count(1)

    def answer(mtkn: str) -> list[str]:
        is_subscription_of_status, is_execution = (n := next(frames)) == 3, n == 4
        if is_subscription_of_status:
            return [ok(mtkn), news("Completed", "100")]
        return [ok(mtkn), news("Sending", "40"), news("Completed", "100")] if is_execution else [ok(mtkn)]

    async def run() -> list[dict[str, Any]]:
        payload = SchemeBuilder(1, "Zé", 2, 3, "oi")
        line = Record()
        job = Run(Assignment("j1", "t", 1, "{}", payload, settings=SETTINGS), line=line, upstream=None)
        session, vehicle = Session(job, talk(answer)), Vehicle(payload)
        await subscribe(session, vehicle)
        await execute(session, vehicle, process_id="7", comment="oi")
        await wait_for_unit(session, vehicle)
        return [dict(step.data) for step in line.steps if step.name == "wait_for_unit" and "progress" in step.data]

    assert [noted["progress"] for noted in asyncio.run(run())][:2] == [40.0, 100.0]


def test_a_socket_that_closes_before_the_frame_goes_out_leaves_nothing_open() -> None:
    """It was told as an unknown outcome, though nothing had been sent."""

    class Closing(Line):
        is_closed = False

        async def receive(self, *, within_s: float) -> str | None:
            if self.is_closed:
                raise TemporaryFailure("The WebSocket was closed.")
            return await super().receive(within_s=within_s)

    async def run() -> tuple[JobFailed, bool, list[str]]:
        payload = SchemeBuilder(1, "Zé", 2, 3, "oi")
        socket = Closing(lambda mtkn: [ok(mtkn)])

        class Committing(Record):
            async def commit(self, step: StepRecord) -> None:
                await super().commit(step)
                socket.is_closed = True

        line = Committing()
        job = Run(Assignment("j1", "t", 1, "{}", payload, settings=SETTINGS), line=line, upstream=None)
        with pytest.raises(JobFailed) as caught:
            await execute(Session(job, talk_over(socket)), Vehicle(payload), process_id="7", comment="oi")
        return caught.value, job.has_acted, line.states

    error, has_acted, states = asyncio.run(run())

    assert (error.failure, error.is_retryable) == ("upstream_temporary", True)
    assert not has_acted
    assert states[-1] == "failed"


@pytest.mark.parametrize("after", ["403", "0"])
def test_a_busy_slot_that_is_told_after_the_pause_is_still_waited_for(after: str) -> None:
    """The refusal that follows from it was told as a forbidden action, for good."""
    claims: list[str] = []

    def answer(mtkn: str) -> list[str]:
        claims.append(mtkn)
        if len(claims) == 1:
            return []
        return [ok(claims[0], "8"), ok(mtkn, after)]

    async def run() -> TemporaryFailure:
        payload = SchemeBuilder(1, "Zé", 2, 3, "oi")
        settings = {**SETTINGS, "slot_wait_s": 30}
        job = Run(Assignment("j1", "t", 1, "{}", payload, settings=settings), line=Record(), upstream=None)
        session, vehicle = Session(job, talk(answer)), Vehicle(payload)
        await open_associate(session, vehicle, action_id="1")
        with pytest.raises(TemporaryFailure) as caught:
            await associate(session, vehicle, action_id="1", more={"vehicle_setting_id": "3"})
        return caught.value

    error = asyncio.run(run())
    assert error.retry_after_s == 30
    assert "slot is busy" in str(error)
    assert len(claims) == 2


def test_an_associate_that_is_refused_after_its_pause_is_not_executed() -> None:
    """The review that follows may be that of an earlier setting: the refusal was passed over, and the wrong one executed."""
    told: list[str] = []

    def answer(mtkn: str) -> list[str]:
        told.append(mtkn)
        return [] if len(told) == 1 else [ok(told[0], "403"), ok(mtkn)]

    async def run() -> JobFailed:
        payload = SchemeBuilder(1, "Zé", 2, 3, "oi")
        job = Run(Assignment("j1", "t", 1, "{}", payload, settings=SETTINGS), line=Record(), upstream=None)
        session, vehicle = Session(job, talk(answer)), Vehicle(payload)
        await associate(session, vehicle, action_id="1", more={"vehicle_setting_id": "3"})
        with pytest.raises(JobFailed) as caught:
            await subscribe(session, vehicle)
        return caught.value

    error = asyncio.run(run())
    assert error.failure == "forbidden"
    assert "associate_vehicles_actions_opr" in str(error)
