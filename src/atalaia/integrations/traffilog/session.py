"""A session for a job: the socket opened with the token in force, and every frame on the job's record."""

import secrets
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

from atalaia.core.translations import N_
from atalaia.integrations.traffilog.answers import SLOT_BUSY, Reading
from atalaia.integrations.traffilog.conversation import REFUSALS, Conversation, Request, refused
from atalaia.integrations.traffilog.frames import FrameMaker, Value
from atalaia.sdk.failures import PermanentFailure, TemporaryFailure
from atalaia.sdk.jobs import JobRun, Step
from atalaia.sdk.upstreams import Token


@asynccontextmanager
async def open_session(job: JobRun) -> AsyncIterator["Session"]:
    """Raises: TemporaryFailure, AuthExpired, PermanentFailure."""
    settings = job.settings
    if not settings.get("ws_url") or not settings.get("app_guid"):
        raise PermanentFailure(
            N_("The WebSocket is not configured."), hint=N_("Set ws_url and app_guid of the integration traffilog.")
        )
    used: list[Token] = []

    def address(token: Token) -> str:
        used.append(token)
        return f"{settings['ws_url'].rstrip('/')}/{settings['app_guid']}/{token.value.reveal()}/json?defragment=1"

    headers = {
        "Origin": settings["origin"],
        "User-Agent": settings["user_agent"],
        "Accept-Language": settings["accept_language"],
    }
    async with AsyncExitStack() as stack:
        async with job.step("connect"):
            frames = await stack.enter_async_context(job.upstream().socket("session", address, headers=headers))
        maker = FrameMaker(job.templates, now_ms=lambda: time.time_ns() // 1_000_000, digits=_digits)
        yield Session(job, Conversation(frames, maker, used[-1], answer_s=float(settings["answer_s"])))


def _digits(count: int) -> str:
    return "".join(secrets.choice("0123456789") for _ in range(count))


class Session:
    """Sends frames as steps of the job; each frame is on the record before it goes out."""

    def __init__(self, job: JobRun, talk: Conversation) -> None:
        self.job = job
        self.talk = talk
        self._told: list[Request] = []
        self._claims: list[Request] = []

    async def tell(
        self,
        action: str,
        parameters: Mapping[str, Value],
        *,
        pause_s: float,
        name: str = "",
        is_claim: bool = False,
    ) -> None:
        """A step that needs no answer to go on, and takes what comes within the pause.

        With `is_claim` it asks for the client's review slot: that it is busy may also be said after the pause.

        Raises:
            JobFailed: it departs from its template, or was refused.
            TemporaryFailure: the review slot is busy with something that is not ours.
        """
        async with self.job.step(name or action) as step:
            request = await self.send(step, action, parameters)
            self._told.append(request)
            if is_claim:
                self._claims.append(request)
            await self.talk.settle(request, within_s=pause_s)
            await step.note(**request.shown)
            self.check_told()

    async def ask(
        self, action: str, parameters: Mapping[str, Value], *, name: str = "", allow: frozenset[str] = frozenset()
    ) -> Reading:
        """A step that waits for its answer; `allow` names error values that the caller handles.

        Raises:
            JobFailed, TemporaryFailure, AuthExpired.
        """
        async with self.job.step(name or action) as step:
            request = await self.send(step, action, parameters)
            reading = await self.talk.answer_to(request)
            await step.note(**request.shown)
            self.check_told()
            if reading.is_error and reading.action_value not in allow:
                raise refused(reading, action)
            return reading

    async def send(self, step: Step, action: str, parameters: Mapping[str, Value]) -> Request:
        """Send within a step that the caller holds open. Raises: JobFailed: the frame departs, and is not sent."""
        frame = self.talk.prepare(action, parameters)
        await step.note(**frame.shown)
        frame.check()
        return await self.talk.send(frame)

    def check_told(self) -> None:
        """What needed no answer to go on may be answered with a no after its pause: then what follows from it can't be right.

        Raises:
            TemporaryFailure: the client's review slot is busy.
            JobFailed: one was refused.
        """
        if any(each.answer is not None and each.answer.action_value == SLOT_BUSY for each in self._claims):
            raise TemporaryFailure(
                N_("The client's review slot is busy at the third party."),
                retry_after_s=float(self.job.settings["slot_wait_s"]),
                hint=N_("Somebody works on this client at the third party's own page; the job tries again."),
            )
        for each in self._told:
            if each.answer is not None and each.answer.action_value in REFUSALS:
                raise refused(each.answer, each.frame.action)
