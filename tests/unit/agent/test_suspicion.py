"""A hub that answers 500: is it the hub, or one record?"""

import json
import random
from collections.abc import Callable
from math import inf
from pathlib import Path
from typing import Any

import pytest

from atalaia_agent.clock import ClockOffset
from atalaia_agent.hub import Answer, HubConnection, HubUnreachable
from atalaia_agent.sender import Sender
from atalaia_agent.spool import Spool
from atalaia_agent.suspicion import MOST_IN_A_ROW, PATIENCE
from atalaia_agent.voice import Voice
from atalaia_agent.wire import Json

Reply = Callable[[Json], int]


class FakeHub:
    """Answers as `reply` says; keeps what it took."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply
        self.asked: list[int] = []
        self.taken: list[int] = []

    def post(self, _path: str, body: bytes, **_: Any) -> Answer:
        batch = json.loads(body)
        self.asked.append(len(batch["records"]))
        status = self.reply(batch)
        if not status:
            raise HubUnreachable("cut")
        if status == 200:
            self.taken += [record["n"] for record in batch["records"]]
        return Answer(status, {"last_seq": batch["spool"]["last_seq"]}, None, 0.0, 0.0)


class Line(Voice):
    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)


class World:
    def __init__(self, spool: Spool, reply: Reply) -> None:
        self.spool = spool
        self.hub = FakeHub(reply)
        self.voice = Line()
        hub: Any = self.hub
        self.sender = Sender(_as_connection(hub), spool, agent={}, status=dict, clock=ClockOffset(), voice=self.voice)

    def put(self, *numbers: int) -> None:
        for number in numbers:
            self.spool.append({"n": number})

    def report(self, times: int = 1) -> None:
        """As often as the back-off lets it, whose pauses are left out here."""
        for _ in range(times):
            self.sender._not_before = 0.0
            self.sender.send_due()

    @property
    def set_aside(self) -> list[int]:
        files = sorted((self.spool.directory / "rejected").glob("*.json"))
        return [record["n"] for path in files for record in json.loads(path.read_text())["records"]]


def _as_connection(hub: Any) -> HubConnection:
    return hub  # type: ignore[no-any-return]


@pytest.fixture
def make(tmp_path: Path) -> Callable[[Reply], World]:
    return lambda reply: World(Spool(tmp_path), reply)


def failing_on(*bad: int, status: int = 500) -> Reply:
    return lambda batch: status if any(record["n"] in bad for record in batch["records"]) else 200


Make = Callable[[Reply], World]


@pytest.mark.parametrize("bad", [0, 1, 500, 998, 999])
def test_the_one_record_that_it_fails_on_is_found_and_set_aside(make: Make, bad: int) -> None:
    world = make(failing_on(bad))
    world.put(*range(1_000))
    world.report(PATIENCE - 1)
    assert world.set_aside == []
    world.report()
    assert world.set_aside == [bad]
    assert world.hub.taken == [n for n in range(1_000) if n != bad]
    assert world.spool.stats()["rejected_total"] == 1
    assert len(world.hub.asked) < PATIENCE + 40
    assert [text for text in world.voice.said if text.startswith("error: the hub fails on one record (500)")] != []


def test_several_are_found_one_after_another(make: Make) -> None:
    dice = random.Random(7)
    bad = sorted(dice.sample(range(400), 4))
    world = make(failing_on(*bad))
    world.put(*range(400))
    world.report(PATIENCE * 20)
    assert world.set_aside == bad
    assert world.hub.taken == [n for n in range(400) if n not in bad]


@pytest.mark.parametrize("status", [502, 503, 504, 507, 429, 408, 0])
def test_a_hub_that_has_no_time_or_no_room_gets_everything_later(make: Make, status: int) -> None:
    world = make(lambda _: status)
    world.put(*range(20))
    world.report(PATIENCE * 5)
    assert set(world.hub.asked) == {20}
    world.hub.reply = lambda _: 200
    world.report()
    assert world.hub.taken == list(range(20))
    assert world.set_aside == []


def test_a_hub_that_fails_on_everything_empties_no_spool(make: Make) -> None:
    world = make(lambda _: 500)
    world.put(*range(20))
    world.report(PATIENCE * 10)
    assert world.set_aside == []
    world.hub.reply = lambda _: 200
    world.report(2)
    assert world.hub.taken == list(range(20))


def test_a_hub_that_fails_on_all_records_costs_three_of_them(make: Make) -> None:
    assert MOST_IN_A_ROW == 3
    world = make(lambda batch: 500 if batch["records"] else 200)
    world.put(*range(20))
    world.report(PATIENCE * 10)
    assert world.set_aside == [0, 1, 2]
    world.hub.reply = lambda _: 200
    world.report(2)
    assert world.hub.taken == list(range(3, 20))


def test_a_failure_that_passes_costs_nothing(make: Make) -> None:
    world = make(lambda _: 500)
    for round_number in range(10):
        world.put(round_number)
        world.hub.reply = lambda _: 500
        world.report(PATIENCE - 1)
        world.hub.reply = lambda _: 200
        world.report()
    assert world.set_aside == []
    assert world.hub.taken == list(range(10))


def test_what_the_hub_has_needs_no_flush_and_what_it_has_not_gets_one(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[int] = []
    world = make(lambda _: 200)
    monkeypatch.setattr(world.spool, "sync", lambda: flushed.append(1))
    world.put(1)
    world.report()
    assert flushed == []
    for reply in (lambda _: 503, lambda _: 0):
        world.put(2)
        world.hub.reply = reply
        before = len(flushed)
        world.report()
        assert len(flushed) == before + 1


def test_a_report_that_is_due_while_one_is_being_sent_flushes_and_comes_after_it(make: Make) -> None:
    world = make(lambda _: 200)
    flushed: list[int] = []

    def reply(_: Json) -> int:
        if not flushed:
            world.spool.sync = lambda: flushed.append(1)  # type: ignore[method-assign]
            world.sender.send_due()
        return 200

    world.hub.reply = reply
    world.put(1, 2)
    world.report()
    assert flushed == [1]
    assert world.sender.due_at == -inf
    assert world.hub.taken == [1, 2]
