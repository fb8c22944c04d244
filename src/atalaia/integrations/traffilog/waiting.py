"""The wait for a unit, after execute: pushes, subscriptions again, and how it ends."""

import asyncio
from typing import Any

from atalaia.core.translations import N_
from atalaia.integrations.traffilog.answers import Push
from atalaia.integrations.traffilog.progress import Patience, Verdict, Watching
from atalaia.integrations.traffilog.session import Session
from atalaia.integrations.traffilog.steps import Vehicle, subscription
from atalaia.sdk.failures import AuthExpired, TemporaryFailure
from atalaia.sdk.jobs import JobFailed, JobUncertain, Step

UNIT_ERROR = N_("The unit itself said no, and its words are above. Correct what they name, then start the job again.")
_GOING = frozenset({Verdict.GOING, Verdict.SILENT})


async def wait_for_unit(session: Session, vehicle: Vehicle) -> dict[str, Any]:
    """Until the unit is done; its last status.

    Raises:
        JobFailed: an error of the unit, silence, or too long.
        JobUncertain: it went away, or we lost the socket.
    """
    settings = session.job.settings
    now = asyncio.get_running_loop().time
    patience = Patience(float(settings["silent_s"]), float(settings["silent_limit_s"]), float(settings["whole_s"]))
    watching = Watching(patience, now())
    async with session.job.step("wait_for_unit") as step:
        try:
            verdict = await _watch(session, vehicle, watching, step)
        except (TemporaryFailure, AuthExpired) as error:
            raise JobUncertain(N_("The connection was lost while the unit worked: {why}"), why=str(error)) from error
        if verdict is not Verdict.DONE:
            raise _failure(verdict, watching)
    return {"status": watching.last.status if watching.last else "", "progress": _percent(watching.last)}


async def _watch(session: Session, vehicle: Vehicle, watching: Watching, step: Step) -> Verdict:
    now = asyncio.get_running_loop().time
    resubscribe_s = float(session.job.settings["resubscribe_s"])
    subscribed_s = now()
    was_silent = False
    while True:
        until_s = min(watching.next_change_s(now()), max(0.0, subscribed_s + resubscribe_s - now()))
        push = await session.talk.next_push(within_s=until_s)
        verdict = watching.news(push, now()) if push is not None else watching.elapsed(now())
        if push is not None:
            await step.note(status=push.status, progress=push.progress, silent=False)
        elif (verdict is Verdict.SILENT) is not was_silent:
            await step.note(silent=verdict is Verdict.SILENT)
        was_silent = verdict is Verdict.SILENT
        if verdict not in _GOING:
            return verdict
        if now() - subscribed_s >= resubscribe_s:
            subscribed_s = now()
            frame = session.talk.prepare("vehicle_subscribe", subscription(vehicle, "UNIT_CONFIG_STATUS"))
            frame.check()
            await session.talk.send(frame)


def _failure(verdict: Verdict, watching: Watching) -> JobFailed | JobUncertain:
    last = watching.last
    if verdict is Verdict.UNKNOWN:
        return JobUncertain(
            N_("The unit went away in the middle: {status}"),
            status=last.status if last else "",
            hint=N_("It may have been done; look at the vehicle before starting it again."),
        )
    if verdict is Verdict.FAILED:
        return JobFailed(
            N_("The unit reports an error: {status} {error}"),
            failure="unit_error",
            status=last.status if last else "",
            error=last.error if last else "",
            hint=UNIT_ERROR,
        )
    if verdict is Verdict.SILENT_UNIT:
        return JobFailed(
            N_("The unit was silent for {seconds} s."),
            failure=str(verdict),
            seconds=round(watching.patience.silent_s + watching.patience.silent_limit_s),
            hint=N_("It may be without power or out of reach; what was sent to it may still come to be."),
        )
    return JobFailed(
        N_("The unit was not done after {seconds} s."),
        failure=str(verdict),
        seconds=round(watching.patience.whole_s),
        hint=N_("What was sent to it may still come to be: look at the vehicle before starting the job again."),
    )


def _percent(push: Push | None) -> float | None:
    return push.progress if push else None
