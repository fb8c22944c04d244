"""A connection that is not open for too long is told once, and its end too."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

from atalaia.integrations.evolution.api import EvolutionApi
from atalaia.integrations.evolution.connection import Connection
from atalaia.sdk.failures import TemporaryFailure
from atalaia.sdk.faults import FaultReport
from atalaia.sdk.integration import Host
from tests.fakes import FakeClock


class Api:
    def __init__(self) -> None:
        self.is_configured = True
        self.says: str | Exception = "open"
        self.asked = 0

    async def state(self) -> str:
        self.asked += 1
        if isinstance(self.says, Exception):
            raise self.says
        return self.says


class World:
    """sdk.integration.Host, as far as it is needed, and what was told to it."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.api = Api()
        self.told: list[str] = []
        self.connection = self.anew()

    def anew(self) -> Connection:
        return Connection(cast("Host", self), cast("EvolutionApi", self.api))

    def setting(self, name: str) -> Any:
        return {"closed_after_s": 120.0, "instance": "ops"}[name]

    async def write(self, unit: Callable[[Any], None]) -> None:
        unit(None)

    def report_fault(self, _tx: Any, fault: FaultReport) -> None:
        self.told.append(f"{fault.name}: {fault.reason}")

    def end_fault(self, _tx: Any, _key: str) -> None:
        self.told.append("end")

    def look(self, says: str | Exception, *, after_s: float = 60) -> None:
        self.clock.advance(after_s)
        self.api.says = says
        asyncio.run(self.connection.look())


def test_it_is_told_after_its_time_and_once() -> None:
    world = World()
    for _ in range(2):
        world.look("close")
    assert not world.connection.is_well()
    assert world.told == []
    for _ in range(3):
        world.look("close")
    assert world.told == ["ops: close"]
    world.look("open")
    assert world.connection.is_well()
    assert world.told == ["ops: close", "end"]
    world.look("open")
    assert world.told == ["ops: close", "end"]


def test_a_short_break_is_told_to_nobody() -> None:
    world = World()
    for state in ("open", "connecting", "open", "close", "open"):
        world.look(state)
    assert world.told == ["end"]  # that of a former process, at the first look


def test_an_api_that_can_not_be_asked_is_not_connected() -> None:
    world = World()
    for _ in range(3):
        world.look(TemporaryFailure("no answer in time"))
    assert world.told == ["ops: no answer in time"]


def test_after_a_restart_an_incident_of_before_can_end() -> None:
    world = World()
    for _ in range(3):
        world.look("close")
    world.connection = world.anew()
    world.look("open")
    assert world.told == ["ops: close", "end"]


def test_one_that_is_not_configured_is_asked_nothing() -> None:
    world = World()
    world.api.is_configured = False
    world.look("close")
    assert world.api.asked == 0
    assert world.connection.is_well()
