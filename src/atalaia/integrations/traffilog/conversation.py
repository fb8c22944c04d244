"""One WebSocket session with the third party: requests go out, and each answer finds the request it belongs to.

Answers of other requests and pushes are interleaved. An answer is matched by its `mtkn` alone; an error that carries none
belongs to the one request then waiting, and where several wait, to none surely: it is kept, and told with the failure that
follows from it.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from atalaia.core.redaction import STARS
from atalaia.core.translations import N_
from atalaia.integrations.traffilog import answers
from atalaia.integrations.traffilog.answers import Push, Reading
from atalaia.integrations.traffilog.frames import Frame, FrameMaker, Value
from atalaia.sdk.failures import AuthExpired, BadPayload, TemporaryFailure
from atalaia.sdk.jobs import JobFailed
from atalaia.sdk.upstreams import Frames, Token

_KEPT_STRAYS = 5
_SHOWN_CHARS = 4000
REFUSALS = frozenset({"401", "403"})


@dataclass(slots=True, eq=False)
class Request:
    frame: Frame
    sent_s: float
    answer: Reading | None = None
    answer_text: str = ""

    @property
    def shown(self) -> dict[str, object]:
        """For the step's record."""
        if self.answer is None:
            return {"answer": None}
        return {"answer": self.answer_text, "action_value": self.answer.action_value}


class Conversation:
    def __init__(self, frames: Frames, maker: FrameMaker, token: Token, *, answer_s: float) -> None:
        self._frames = frames
        self._maker = maker
        self.token = token
        self._answer_s = answer_s
        self._open: dict[str, Request] = {}
        self._pushes: deque[Push] = deque()
        self._strays: deque[str] = deque(maxlen=_KEPT_STRAYS)
        self._now = asyncio.get_running_loop().time

    def prepare(self, action: str, parameters: Mapping[str, Value]) -> Frame:
        return self._maker.make(action, parameters, token=self.token.value)

    async def send(self, frame: Frame) -> Request:
        """Raises: TemporaryFailure: the socket is closed."""
        request = Request(frame, self._now())
        self._open[frame.mtkn] = request
        await self._frames.send(frame.raw)
        return request

    async def answer_to(self, request: Request) -> Reading:
        """Wait for the answer of one request, while others' frames pass by.

        Raises:
            TemporaryFailure: no frame with this mtkn in time, or the socket was closed.
            AuthExpired: the session is refused.
        """
        await self._take_until(lambda: request.answer is not None, within_s=self._answer_s)
        if request.answer is None:
            raise TemporaryFailure(
                N_("No frame with the mtkn {mtkn} came within {seconds} s.{strays}"),
                mtkn=request.frame.mtkn,
                seconds=self._answer_s,
                strays=self.strays,
                hint=N_("The third party is slow, or answered something else: look at the frames of this step."),
            )
        return request.answer

    async def forget_pushes(self, *, within_s: float) -> None:
        """What is pushed until then is news of something earlier. Raises: TemporaryFailure, AuthExpired."""
        await self.pause(within_s)
        self._pushes.clear()

    async def pause(self, seconds: float) -> None:
        """Let `seconds` pass, and take what comes meanwhile."""
        await self._take_until(lambda: False, within_s=seconds)

    async def next_push(self, *, within_s: float) -> Push | None:
        await self._take_until(lambda: bool(self._pushes), within_s=within_s)
        return self._pushes.popleft() if self._pushes else None

    async def settle(self, request: Request, *, within_s: float) -> Reading | None:
        """For a request that needs no answer to go on: what came within the pause after it."""
        await self.pause(within_s)
        return request.answer

    @property
    def strays(self) -> str:
        """Errors that belong to no request surely, to be told beside what failed."""
        return "".join(f" {text}" for text in self._strays)

    def _without_token(self, text: str) -> str:
        """Before it is read: whatever is made of a frame may be shown."""
        return text.replace(self.token.value.reveal(), STARS)

    async def _take_until(self, is_enough: Callable[[], bool], *, within_s: float) -> None:
        until = self._now() + within_s
        while not is_enough() and (left_s := until - self._now()) > 0:
            try:
                text = await self._frames.receive(within_s=left_s)
            except BadPayload as error:  # nobody's answer; where it has ended the socket, the next look says so
                self._strays.append(str(error))
                continue
            if text is not None:
                self._take(text)

    def _take(self, text: str) -> None:
        plain = self._without_token(answers.decode(text))
        reading = answers.read(plain)
        if reading is None:
            return
        request = self._owner(reading)
        if request is not None:
            request.answer, request.answer_text = reading, plain[:_SHOWN_CHARS]
            del self._open[request.frame.mtkn]
        if reading.names_session:
            raise AuthExpired(N_("The session is refused: {why}"), why=reading.description[:_SHOWN_CHARS])
        if request is None and reading.mtkn is None and reading.is_error:
            self._strays.append(f"{reading.action_value} {reading.description[:_SHOWN_CHARS]}".strip())
        self._pushes.extend(reading.pushes)

    def _owner(self, reading: Reading) -> Request | None:
        if reading.mtkn is not None:
            return self._open.get(reading.mtkn)
        if not reading.is_error or reading.pushes:
            return None
        oldest_s = self._now() - self._answer_s
        waiting = [request for request in self._open.values() if request.sent_s >= oldest_s]
        return waiting[0] if len(waiting) == 1 else None


def refused(reading: Reading, action: str) -> JobFailed:
    """An answer that says no."""
    if reading.action_value == "403":
        return JobFailed(
            N_("{action} was refused: 403 {why}"),
            failure="forbidden",
            action=action,
            why=reading.description,
            hint=N_("The payload departs from what the real page sends: open the comparison with the capture."),
        )
    return JobFailed(
        N_("{action} was answered with {value} {why}"),
        failure="refused",
        action=action,
        value=reading.action_value or "",
        why=reading.description,
    )
