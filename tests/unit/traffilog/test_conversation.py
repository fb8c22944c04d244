"""An answer is matched to its request by mtkn alone; what can't be matched surely is nobody's."""

import asyncio
import itertools
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable

import msgspec
import pytest

from atalaia.core.redaction import Secret
from atalaia.integrations.traffilog.conversation import Conversation, refused
from atalaia.integrations.traffilog.frames import FrameMaker, built_in_templates
from atalaia.sdk.failures import AuthExpired, BadPayload, TemporaryFailure
from atalaia.sdk.upstreams import Token

BUILT_IN = {template.key: template for template in built_in_templates()}
TOKEN = Token(Secret("Ab3" * 14), generation=1, expires_at=None)
FORBIDDEN = '{"action_value":"403","error_description":"action forbidden"}'


class Line:
    """The other side of a socket: `answer` turns each frame that is sent into those that come back.

    Its time goes by where nothing comes, and only there.
    """

    close_reason = None

    def __init__(self, answer: Callable[[str], list[str]]) -> None:
        self._answer = answer
        self.waiting: deque[str] = deque()
        self.now_s = 0.0

    async def send(self, text: str) -> None:
        mtkn = msgspec.json.decode(text)["action"]["mtkn"]
        self.waiting.extend(self._answer(mtkn))

    async def receive(self, *, within_s: float) -> str | None:
        await asyncio.sleep(0)
        if self.waiting:
            return self.waiting.popleft()
        self.now_s += within_s
        return None

    async def __aiter__(self) -> AsyncIterator[str]:
        while self.waiting:
            yield self.waiting.popleft()


def in_loop(test: Callable[[], Awaitable[None]]) -> Callable[[], None]:
    async def awaited() -> None:
        await test()

    def run() -> None:
        asyncio.run(awaited())

    run.__name__ = test.__name__
    return run


def talk(answer: Callable[[str], list[str]]) -> Conversation:
    return talk_over(Line(answer))


def talk_over(line: Line) -> Conversation:
    numbers = itertools.count(1)
    maker = FrameMaker(BUILT_IN, now_ms=lambda: 17, digits=lambda count: str(next(numbers)).rjust(count, "0"))
    conversation = Conversation(line, maker, TOKEN, answer_s=0.05)
    conversation._now = lambda: line.now_s
    return conversation


async def ask(conversation: Conversation, *, vehicle: str = "1") -> str | None:
    frame = conversation.prepare("get_vehicle_info", {"vehicle_id": vehicle, "client_id": "2"})
    reading = await conversation.answer_to(await conversation.send(frame))
    return reading.action_value


def ok(mtkn: str, value: str = "0") -> str:
    return f'{{"mtkn":"{mtkn}","action_value":"{value}"}}'


@in_loop
async def test_answers_of_others_pass_by() -> None:
    conversation = talk(lambda mtkn: [ok("999", "403"), "noise", ok(mtkn)])

    assert await ask(conversation) == "0"


@in_loop
async def test_a_frame_that_is_no_text_is_nobodys_answer() -> None:
    """One binary frame that is no UTF-8 failed the job for good."""

    class Noisy(Line):
        is_quiet = False

        async def receive(self, *, within_s: float) -> str | None:
            if not self.is_quiet:
                self.is_quiet = True
                raise BadPayload("A binary message is no UTF-8.")
            return await super().receive(within_s=within_s)

    assert await ask(talk_over(Noisy(lambda mtkn: [ok(mtkn)]))) == "0"


@in_loop
async def test_answers_out_of_order_find_their_requests() -> None:
    held: list[str] = []

    def reorder(mtkn: str) -> list[str]:
        held.append(mtkn)
        return [ok(held[1], "8"), ok(held[0], "1")] if len(held) == 2 else []

    conversation = talk(reorder)
    first = await conversation.send(conversation.prepare("review_process_attributes", {"client_id": "2"}))
    second = await conversation.send(conversation.prepare("get_custom_command", {"client_id": "2"}))

    assert (await conversation.answer_to(second)).action_value == "8"
    assert (await conversation.answer_to(first)).action_value == "1"


@in_loop
async def test_an_error_without_mtkn_belongs_to_the_one_that_waits() -> None:
    assert await ask(talk(lambda _mtkn: [FORBIDDEN])) == "403"


@in_loop
async def test_where_several_wait_it_belongs_to_none_and_is_told_with_what_fails() -> None:
    answers = iter([[], [FORBIDDEN]])
    conversation = talk(lambda _mtkn: next(answers))
    await conversation.send(conversation.prepare("review_process_attributes", {"client_id": "2"}))

    with pytest.raises(TemporaryFailure, match="403 action forbidden"):
        await ask(conversation)


@in_loop
async def test_no_answer_in_time_names_the_mtkn() -> None:
    with pytest.raises(TemporaryFailure, match=r"No frame with the mtkn 17000001 came within 0\.05 s"):
        await ask(talk(lambda _mtkn: []))


@in_loop
async def test_a_late_answer_is_not_taken_for_the_next_request() -> None:
    late: list[str] = []

    def answer(mtkn: str) -> list[str]:
        late.append(mtkn)
        return [ok(late[0], "403"), ok(mtkn)] if len(late) == 2 else []

    conversation = talk(answer)
    with pytest.raises(TemporaryFailure):
        await ask(conversation)

    assert await ask(conversation) == "0"


@in_loop
async def test_a_refused_session_is_said_as_such() -> None:
    with pytest.raises(AuthExpired):
        await ask(talk(lambda _mtkn: ['{"action_value":"403","error_description":"invalid session_token"}']))


@in_loop
async def test_the_token_is_hidden_in_what_is_shown() -> None:
    conversation = talk(lambda mtkn: [f'{{"mtkn":"{mtkn}","echo":"{TOKEN.value.reveal()}","action_value":"0"}}'])
    frame = conversation.prepare("get_vehicle_info", {"vehicle_id": "1", "client_id": "2"})
    request = await conversation.send(frame)
    await conversation.answer_to(request)

    assert TOKEN.value.reveal() not in str(request.shown)
    assert '"echo":"***"' in str(request.shown["answer"])


@in_loop
async def test_the_token_is_in_no_error_that_is_made_of_an_answer() -> None:
    secret = TOKEN.value.reveal()
    answer = '{{"mtkn":"{}","action_value":"404","error_description":"nothing for {}"}}'
    conversation = talk(lambda mtkn: [answer.format(mtkn, secret)])
    frame = conversation.prepare("get_vehicle_info", {"vehicle_id": "1", "client_id": "2"})
    reading = await conversation.answer_to(await conversation.send(frame))

    assert secret not in str(refused(reading, "get_vehicle_info"))
    assert secret not in str(reading.content)


@in_loop
async def test_a_frame_of_nothing_but_brackets_is_nobodys_answer() -> None:
    """It ended the job, and after execute it made the outcome unknown."""
    assert await ask(talk(lambda mtkn: ["[" * 100_000, ok(mtkn)])) == "0"
