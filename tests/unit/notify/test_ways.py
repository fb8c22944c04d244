"""What was surely not sent stays free to go: whether the way is open is asked before it is on disk that a message is about to go."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from atalaia.core.errors import StoreUnavailable, TargetRefused
from atalaia.notify.model.progress import Fate, Progress
from atalaia.notify.service.ways import Try, Way
from atalaia.sdk.channels import ChannelField, ChannelKind, ChannelMessage, Values
from atalaia.sdk.failures import AuthExpired, PermanentFailure, TemporaryFailure
from tests.fakes import FakeClock

ANA = "+5511900000001"
KEY = "the-key-of-the-line"
CUT = TemporaryFailure("The line was cut.")
BUSY = StoreUnavailable("The store is away.")


class Line(ChannelKind):
    """Writes down what was done with it, in order."""

    name = "line"
    title = "Line"
    is_repeatable = False
    fields = (ChannelField("key", "Key", "secret"),)

    def __init__(self, closed: Exception | None = None, broken: Exception | None = None) -> None:
        self.done: list[str] = []
        self._closed = closed
        self._broken = broken

    def check(self, values: Values) -> dict[str, Any]:
        return dict(values)

    def describe(self, values: Values) -> str:
        return str(values["name"])

    async def await_open(self, values: Values) -> None:
        assert values["key"] == KEY
        self.done.append("asked")
        if self._closed:
            raise self._closed

    async def send(self, values: Values, message: ChannelMessage) -> str:
        raise NotImplementedError

    async def post(self) -> str:
        self.done.append("sent")
        if self._broken:
            raise self._broken
        return "201"

    async def begin(self, progress: Progress) -> bool:
        assert progress == {ANA: Fate.BEGUN}
        self.done.append("begun")
        return True


def go(line: Line, *, begin: Callable[[Progress], Awaitable[bool]] | None = None, was: Progress | None = None) -> Way:
    async def main() -> Way:
        way = Way(line, {"key": KEY}, FakeClock(), begin or line.begin, was or {})
        await way.go(ANA, line.post)
        return way

    return asyncio.run(main())


def only(way: Way) -> Try:
    (made,) = way.tries
    return made


def test_it_is_asked_then_on_disk_then_sent() -> None:
    line = Line()
    assert only(go(line)).fate is Fate.DELIVERED
    assert line.done == ["asked", "begun", "sent"]


@pytest.mark.parametrize("closed", [TemporaryFailure("closed"), AuthExpired("401"), CUT, ValueError("shape"), BUSY])
def test_whatever_keeps_it_closed_the_message_has_not_gone_and_waits(closed: Exception) -> None:
    line = Line(closed)
    way = go(line)
    assert (only(way).fate, way.progress) == (Fate.FAILED, {})
    assert line.done == ["asked"]


@pytest.mark.parametrize("closed", [PermanentFailure("gone"), TargetRefused("private")])
def test_what_will_never_open_is_given_up(closed: Exception) -> None:
    line = Line(closed)
    way = go(line)
    assert (only(way).fate, way.progress) == (Fate.REFUSED, {ANA: Fate.REFUSED})
    assert line.done == ["asked"]


def test_a_closed_line_says_when_to_come_back_and_no_secret() -> None:
    made = only(go(Line(TemporaryFailure(f"closed, says {KEY}", retry_after_s=7.0))))
    assert (made.retry_after_s, made.status) == (7.0, "closed, says ***")


def test_what_is_cut_after_it_was_open_perhaps_went_out() -> None:
    way = go(Line(broken=CUT))
    assert (only(way).fate, way.progress) == (Fate.UNKNOWN, {ANA: Fate.UNKNOWN})


def test_what_another_hub_has_taken_is_neither_sent_nor_on_record() -> None:
    async def taken(_progress: Progress) -> bool:
        return False

    line = Line()
    assert go(line, begin=taken).tries == []
    assert line.done == ["asked"]


def test_without_a_store_that_says_so_nothing_goes() -> None:
    async def full(_progress: Progress) -> bool:
        raise BUSY

    line = Line()
    assert only(go(line, begin=full)).fate is Fate.FAILED
    assert line.done == ["asked"]


def test_one_that_had_begun_is_not_even_asked() -> None:
    line = Line()
    way = go(line, was={ANA: Fate.BEGUN})
    assert (only(way).fate, line.done) == (Fate.UNKNOWN, [])
