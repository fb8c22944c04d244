"""A session for a job: the socket opened with the token in force, and every frame on the job's record."""

import secrets
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

from atalaia.core.translations import N_
from atalaia.integrations.traffilog.answers import Reading
from atalaia.integrations.traffilog.conversation import REFUSALS, Conversation, Request, refused
from atalaia.integrations.traffilog.frames import FrameMaker, Value
from atalaia.sdk.failures import PermanentFailure
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

    async def tell(
        self, action: str, parameters: Mapping[str, Value], *, pause_s: float, name: str = ""
    ) -> Reading | None:
        """A step that needs no answer to go on; what came within the pause, if anything did.

        Raises:
            JobFailed: it departs from its template, or was refused.
        """
        async with self.job.step(name or action) as step:
            request = await self.send(step, action, parameters)
            reading = await self.talk.settle(request, within_s=pause_s)
            await step.note(**request.shown)
            if reading is not None and reading.action_value in REFUSALS:
                raise refused(reading, action)
            return reading

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
            if reading.is_error and reading.action_value not in allow:
                raise refused(reading, action)
            return reading

    async def send(self, step: Step, action: str, parameters: Mapping[str, Value]) -> Request:
        """Send within a step that the caller holds open. Raises: JobFailed: the frame departs, and is not sent."""
        frame = self.talk.prepare(action, parameters)
        await step.note(**frame.shown)
        frame.check()
        return await self.talk.send(frame)
