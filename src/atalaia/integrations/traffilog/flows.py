"""The three job types, step by step.

| job type | steps |
| --- | --- |
| scheme_builder | check the vehicle; associate (0), associate (1) with the setting; review; subscribe; execute; wait for the unit |
| custom_command | the same with action 5, and the command put in between the two associates |
| verify_scheme | read which setting the vehicle has, and compare |

Up to execute an attempt may be thrown away and begun anew. Behind execute nothing is ever sent again blindly: `resolve_*` asks
the third party's history by the run id, and otherwise leaves it to a person.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from atalaia.core.translations import N_
from atalaia.integrations.traffilog import answers
from atalaia.integrations.traffilog.payloads import check_once
from atalaia.integrations.traffilog.progress import Verdict, judge
from atalaia.integrations.traffilog.session import Session, open_session
from atalaia.integrations.traffilog.steps import (
    ASSIGN_SETTING,
    EXECUTE,
    SEND_COMMAND,
    Vehicle,
    associate,
    check_vehicle,
    execute,
    open_associate,
    review,
    subscribe,
)
from atalaia.integrations.traffilog.waiting import UNIT_ERROR, wait_for_unit
from atalaia.sdk.failures import AuthExpired
from atalaia.sdk.jobs import JobFailed, JobRun, JobUncertain, StepRecord

_MARK = "#rid="
_LOOK_YOURSELF = N_("Look at the vehicle on the third party's page; start the job again if nothing happened.")
_Flow = Callable[[Session], Awaitable[dict[str, Any]]]


async def run_scheme_builder(job: JobRun) -> dict[str, Any]:
    check_once(job.payload_raw)

    async def flow(session: Session) -> dict[str, Any]:
        payload, vehicle = job.payload, Vehicle(job.payload)
        await check_vehicle(session, vehicle)
        await open_associate(session, vehicle, action_id=ASSIGN_SETTING)
        setting = {"vehicle_setting_id": str(payload.vehicleSettingId).strip()}
        await associate(session, vehicle, action_id=ASSIGN_SETTING, more=setting)
        return await _execute_reviewed(session, vehicle)

    return await _with_session(job, flow)


async def run_custom_command(job: JobRun) -> dict[str, Any]:
    check_once(job.payload_raw)

    async def flow(session: Session) -> dict[str, Any]:
        payload, vehicle = job.payload, Vehicle(job.payload)
        await check_vehicle(session, vehicle)
        await open_associate(session, vehicle, action_id=SEND_COMMAND)
        await session.ask("get_custom_command", {"client_id": vehicle.client_id})
        await session.ask(
            "add_remove_custom_command",
            {
                "client_id": vehicle.client_id,
                "acknowledge_needed": "1",
                "command_syntax": payload.commandSyntax,
                "action_value": "0",
            },
        )
        await associate(session, vehicle, action_id=SEND_COMMAND, more={})
        return await _execute_reviewed(session, vehicle)

    return await _with_session(job, flow)


async def run_verify_scheme(job: JobRun) -> dict[str, Any]:
    check_once(job.payload_raw)

    async def flow(session: Session) -> dict[str, Any]:
        vehicle, wanted = Vehicle(job.payload), str(job.payload.vehicleSettingId).strip()
        found = await _assigned_setting(session, vehicle)
        if found != wanted:
            raise JobFailed(
                N_("The vehicle has the setting {found}, not {wanted}."),
                failure="other_setting",
                found=found or "–",
                wanted=wanted,
                hint=N_("Assign the setting with a new job, or look on the third party's page who changed it."),
            )
        return {"vehicleSettingId": found, "matches": True}

    return await _with_session(job, flow)


async def resolve_execution(job: JobRun) -> dict[str, Any]:
    """Ask the third party what became of a run that may have been executed; acts on nothing.

    Raises:
        JobUncertain: its history doesn't show the run.
        JobFailed: it shows that it failed.
    """
    executed = _last_execution(job.earlier)
    if executed is None:
        raise JobUncertain(N_("There is no record of what was sent."))
    run_id = str(executed.data.get("rid", ""))

    async def flow(session: Session) -> dict[str, Any]:
        vehicle = Vehicle(job.payload)
        item = await _find_in_history(session, vehicle, run_id)
        if item is None:
            raise JobUncertain(
                N_("The third party's history does not show the run {run_id}."),
                run_id=run_id,
                hint=_LOOK_YOURSELF,
            )
        return await _outcome_of(session, vehicle, run_id, item)

    return await _with_session(job, flow)


async def _execute_reviewed(session: Session, vehicle: Vehicle) -> dict[str, Any]:
    process_id = await review(session, vehicle)
    await subscribe(session, vehicle)
    run_id = await execute(session, vehicle, process_id=process_id, comment=str(session.job.payload.comment))
    last = await wait_for_unit(session, vehicle)
    return {"processId": process_id, "runId": run_id, **last}


async def _with_session(job: JobRun, flow: _Flow) -> dict[str, Any]:
    """Run the flow; a session that is refused before anything was executed is replaced once, and the flow begun anew."""
    for is_last in (False, True):
        used = None
        try:
            async with open_session(job) as session:
                used = session.talk.token
                return await flow(session)
        except AuthExpired:
            if is_last or used is None:
                raise
            await job.upstream().token(rejected_generation=used.generation)
    raise AssertionError("the second try returns or raises")


async def _assigned_setting(session: Session, vehicle: Vehicle) -> str | None:
    info = await session.ask("get_vehicle_info", {"vehicle_id": vehicle.vehicle_id, "client_id": vehicle.client_id})
    for item in answers.items(info.content):
        if str(item.get("vehicle_id") or vehicle.vehicle_id).strip() != vehicle.vehicle_id:
            continue  # of another one
        if (found := item.get("vehicle_setting_id")) not in (None, ""):
            return str(found).strip()
    return None


async def _find_in_history(session: Session, vehicle: Vehicle, run_id: str) -> dict[str, Any] | None:
    """Raises: JobUncertain: it can't be asked: that says nothing about what was executed."""
    try:
        reading = await session.ask(
            "get_process_history", {"client_id": vehicle.client_id, "vehicle_id": vehicle.vehicle_id}
        )
    except JobFailed as error:
        raise JobUncertain(
            N_("The third party's history can't be asked: {why}"), why=str(error), hint=_LOOK_YOURSELF
        ) from error
    for item in answers.items(reading.content):
        if _run_of(item) == run_id:
            return dict(item)
    return None


def _run_of(item: Mapping[str, Any]) -> str:
    """The run that a comment is marked with: the last mark is ours, those before came with the words of a person."""
    marks = [word for word in str(item.get("comment", "")).split() if word.startswith(_MARK)]
    return marks[-1].removeprefix(_MARK) if marks else ""


async def _outcome_of(session: Session, vehicle: Vehicle, run_id: str, item: dict[str, Any]) -> dict[str, Any]:
    """What the history says of the run; while it goes on, asked again: pushes go to the session that executed it alone."""
    now = asyncio.get_running_loop().time
    settings = session.job.settings
    until_s = now() + float(settings["whole_s"])
    while True:
        push = answers.push_of(item)
        match judge(push):
            case Verdict.DONE:
                return {"processId": str(item.get("process_id", "")), "status": push.status, "foundInHistory": True}
            case Verdict.FAILED:
                raise JobFailed(
                    N_("The unit reports an error: {status} {error}"),
                    failure="unit_error",
                    status=push.status,
                    error=push.error,
                    hint=UNIT_ERROR,
                )
            case Verdict.UNKNOWN:
                raise JobUncertain(N_("The unit went away in the middle: {status}"), status=push.status)
        if now() >= until_s:
            raise JobUncertain(
                N_("The unit was not done after {seconds} s."), seconds=round(float(settings["whole_s"]))
            )
        await session.talk.pause(float(settings["resubscribe_s"]))
        item = await _find_in_history(session, vehicle, run_id) or item


def _last_execution(earlier: Any) -> StepRecord | None:
    return next((step for step in reversed(list(earlier)) if step.name == EXECUTE), None)
