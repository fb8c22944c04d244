"""The steps that the flows are made of, in the third party's words.

Nearly every value is a string on the wire; `process_id` in `execute_action_opr` is a number. A wrong type is a 403.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from atalaia.core.translations import N_
from atalaia.integrations.traffilog import answers
from atalaia.integrations.traffilog.answers import Reading
from atalaia.integrations.traffilog.conversation import Request
from atalaia.integrations.traffilog.frames import Value
from atalaia.integrations.traffilog.session import Session
from atalaia.sdk.failures import AuthExpired, TemporaryFailure
from atalaia.sdk.jobs import JobFailed, JobUncertain

ASSIGN_SETTING: Final = "1"
SEND_COMMAND: Final = "5"
EXECUTE: Final = "execute_action_opr"
_TAG: Final = "loading_screen"
_HEAR_OUT_S: Final = 0.01  # what came while the hub committed is here already
_NUMBER: Final = re.compile(r"[0-9]{1,30}")


class Vehicle:
    """Whose vehicle it is; ids as text, as the wire wants them."""

    def __init__(self, payload: Any) -> None:
        self.client_id = str(payload.clientId).strip()
        self.client_name = str(getattr(payload, "clientName", "")).strip()
        self.vehicle_id = str(payload.vehicleId).strip()

    @property
    def client(self) -> dict[str, Value]:
        return {"client_id": self.client_id, "client_name": self.client_name}


async def check_vehicle(session: Session, vehicle: Vehicle) -> None:
    await session.tell(
        "vcls_check_opr",
        {
            "client_id": vehicle.client_id,
            "vehicle_id": vehicle.vehicle_id,
            "client_name": vehicle.client_name,
            "is_checked": "1",
        },
        pause_s=_pause_s(session),
    )


async def open_associate(session: Session, vehicle: Vehicle, *, action_id: str) -> None:
    """Take the client's review slot."""
    await _associate(
        session,
        {**vehicle.client, "action_source": "0", "action_id": action_id, "call_num": "0", "tag": _TAG},
        call="0",
    )


async def associate(session: Session, vehicle: Vehicle, *, action_id: str, more: Mapping[str, Value]) -> None:
    await _associate(
        session,
        {**vehicle.client, **more, "action_source": "0", "action_id": action_id, "call_num": "1"},
        call="1",
    )


async def _associate(session: Session, parameters: Mapping[str, Value], *, call: str) -> None:
    """Raises: TemporaryFailure: the slot is busy with something that is not ours."""
    action = "associate_vehicles_actions_opr"
    await session.tell(action, parameters, pause_s=_pause_s(session), name=f"{action} ({call})", is_claim=True)


async def review(session: Session, vehicle: Vehicle) -> str:
    """The id of the process that is ready to be executed.

    Raises:
        JobFailed: it never became ready, or carries no number.
    """
    settings = session.job.settings
    await session.tell(
        "review_process_attributes", {"client_id": vehicle.client_id}, pause_s=float(settings["review_pause_s"])
    )
    action = "get_vcls_action_review_opr"
    tries = int(settings["review_tries"])
    for attempt in range(1, tries + 1):
        if attempt > 1:
            await session.talk.pause(float(settings["review_wait_s"]))
        reading = await session.ask(
            action,
            {**vehicle.client, "action_source": "0"},
            name=action if attempt == 1 else f"{action} ({attempt})",
            allow=frozenset({answers.NOT_READY}),
        )
        found = answers.process_id(reading.content)
        if not reading.is_error and found is not None:
            return _number(found)
    raise JobFailed(
        N_("The review was not ready after {tries} tries.{strays}"),
        failure="review_not_ready",
        is_retryable=True,
        tries=tries,
        strays=session.talk.strays,
        hint=N_(
            "The third party is slow with it; the job tries again. Where that goes on, look at the client on its own page."
        ),
    )


async def subscribe(session: Session, vehicle: Vehicle) -> None:
    """Before execute, or the pushes never come."""
    await session.ask("get_vehicle_info", {"vehicle_id": vehicle.vehicle_id, "client_id": vehicle.client_id})
    for kind in ("UNIT_MESSAGES", "UNIT_CONFIG_STATUS"):
        await session.ask("vehicle_subscribe", subscription(vehicle, kind), name=f"vehicle_subscribe {kind}")


def subscription(vehicle: Vehicle, kind: str) -> dict[str, Value]:
    return {"vehicle_id": vehicle.vehicle_id, "object_type": kind}


async def execute(session: Session, vehicle: Vehicle, *, process_id: str, comment: str) -> str:
    """The one step that acts on a vehicle; the run id that the third party's history will show.

    Raises:
        JobFailed: surely not done (it departs, or an answer with its mtkn refused it).
        JobUncertain: sent, and neither an answer nor a push came.
    """
    job = session.job
    run_id = f"{job.id}-{job.attempt}"
    marked = f"{comment} #rid={run_id} #pid={process_id}"
    parameters: dict[str, Value] = {
        **vehicle.client,
        "vehicle_id": vehicle.vehicle_id,
        "process_id": int(process_id),
        "action_source": "0",
        "tag": _TAG,
        "comment": marked,
        "toggle_check": "1",
    }
    # Compared before the step begins: what departs is not sent, and nothing is uncertain.
    session.talk.prepare(EXECUTE, parameters).check()
    await _hear_out(session, within_s=_pause_s(session))
    session.check_told()
    async with job.irreversible(EXECUTE, rid=run_id, pid=process_id) as step:
        await _hear_out(session, within_s=_HEAR_OUT_S)
        request = await session.send(step, EXECUTE, parameters)
        reading = await _certain_answer(session, request)
        await step.note(**request.shown)
        if reading.is_error:
            raise JobFailed(
                N_("{action} was refused: {value} {why}"),
                failure="refused",
                # The session was refused, not the action: the next attempt has a new one.
                is_retryable=reading.names_session,
                action=EXECUTE,
                value=reading.action_value or "",
                why=reading.description,
            )
    return run_id


async def _hear_out(session: Session, *, within_s: float) -> None:
    """A subscription may bring how the unit's last process ended: it must not be taken for the end of this one.

    Raises:
        JobFailed: the socket is closed; nothing was sent.
    """
    try:
        await session.talk.forget_pushes(within_s=within_s)
    except TemporaryFailure as error:
        raise JobFailed(
            N_("Nothing was executed, the connection was lost before: {why}"),
            failure=error.code,
            is_retryable=True,
            why=str(error),
        ) from error


async def _certain_answer(session: Session, request: Request) -> Reading:
    """Raises: JobUncertain: it was sent, and nothing that came says surely what became of it."""
    try:
        return await session.talk.answer_to(request)
    except (TemporaryFailure, AuthExpired) as error:
        if request.answer is not None:  # the refusal of the session is the answer to this very frame
            return request.answer
        raise JobUncertain(
            N_("It was sent, and no answer came: {why}"),
            why=str(error),
            hint=N_("If it came to be, the third party's own history shows it with this run's #rid."),
        ) from error


def _number(text: str) -> str:
    if not _NUMBER.fullmatch(text):
        raise JobFailed(
            N_("The review gave a process id that is no number: {text}"),
            failure="bad_process_id",
            text=text[:40],
            hint=N_(
                "Nothing was executed. The third party answers in another form than before: look at the answer of this step."
            ),
        )
    return text


def _pause_s(session: Session) -> float:
    return float(session.job.settings["pause_s"])
