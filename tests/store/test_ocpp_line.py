"""A charge point's line and what it is asked over it: who may open one, that it is written down, that nothing old is done."""

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from atalaia.core.errors import Unauthenticated
from atalaia.integrations.cvepro import integration
from atalaia.integrations.cvepro.model.commands import LIFE_S, Action, Command, CommandState
from atalaia.integrations.cvepro.model.stations import Admission, Station
from atalaia.integrations.cvepro.ocpp.central import Central, digest
from atalaia.integrations.cvepro.ocpp.lines import StationLine
from atalaia.integrations.cvepro.ocpp.point import Point
from atalaia.integrations.cvepro.queries import stations
from atalaia.sdk.sockets import NORMAL, SocketRequest
from atalaia.sdk.transaction import Tx
from tests.conftest import MakeStore
from tests.contract.integrations.bench import values_of
from tests.fakes import FakeClock
from tests.store.cvepro_site import SLICE, SiteHost

PASSWORD = "00ff" * 10  # as it is shown: 40 hexadecimal digits of 20 bytes


class Wire:
    """sdk.sockets.Socket with its other end in the test's hand."""

    subprotocol = "ocpp1.6"

    def __init__(self) -> None:
        self.request = asked("CP-1", {})
        self.incoming: asyncio.Queue[str] = asyncio.Queue()
        self.outgoing: asyncio.Queue[str] = asyncio.Queue()

    async def receive(self) -> str:
        return await self.incoming.get()

    async def send(self, text: str) -> None:
        await self.outgoing.put(text)

    async def close(self, code: int = NORMAL, reason: str = "") -> None: ...


def asked(box_id: str, headers: dict[str, str]) -> SocketRequest:
    return SocketRequest(path=f"/ocpp/{box_id}", path_params={"box_id": box_id}, headers=headers, client="127.0.0.1")


@pytest.fixture
def central(make_store: MakeStore, clock: FakeClock) -> Central:
    settings = {**values_of(integration.manifest.settings, {}), "heartbeat_limit_s": 60.0}
    return Central(cast("Any", SiteHost(make_store(SLICE), clock, settings)))


def known(central: Central, *, sha256: bytes | None = None, wire: Wire | None = None) -> StationLine:
    """`CP-1`, let in and connected here."""
    line = StationLine("CP-1", wire or Wire(), standing=Admission.ADMITTED, clock=central.clock)
    line.written_at = line.connected_at

    def unit(tx: Tx) -> None:
        stations.add(tx, "CP-1", Admission.ADMITTED, by="me", now=central.clock.now())
        stations.set_password(tx, "CP-1", sha256)
        stations.connect(tx, "CP-1", hub=central.hub, client="-", now=line.connected_at)

    asyncio.run(central.write(unit))
    central.points["CP-1"] = cast("Point", SimpleNamespace(line=line))
    return line


def station(central: Central) -> Station:
    found = asyncio.run(central.write(lambda tx: stations.find(tx, "CP-1")))
    assert found is not None
    return found


@pytest.mark.parametrize("password", [PASSWORD.encode(), bytes.fromhex(PASSWORD)], ids=["digits", "bytes"])
def test_the_password_is_taken_as_digits_and_as_the_bytes_that_they_stand_for(
    central: Central, password: bytes
) -> None:
    """OCPP's security whitepaper has the charge point send the bytes; many send the digits that were entered."""
    known(central, sha256=digest(PASSWORD))
    right = asked("CP-1", {"authorization": f"Basic {base64.b64encode(b'CP-1:' + password).decode()}"})
    assert asyncio.run(central.authenticate(right)) is Admission.ADMITTED
    for wrong in (password[:-1], password + b"0", b"", password.upper() + b"\xff"):
        other = asked("CP-1", {"authorization": f"Basic {base64.b64encode(b'CP-1:' + wrong).decode()}"})
        with pytest.raises(Unauthenticated):
            asyncio.run(central.authenticate(other))


def test_one_that_is_heard_of_is_not_silent_however_short_the_limit(central: Central, clock: FakeClock) -> None:
    line = known(central)
    for _ in range(4):
        clock.advance(25)
        line.seen_at = clock.now()
        assert clock.now() - cast("Any", station(central).line.seen_at) < timedelta(seconds=60)
        asyncio.run(central.look())


def test_a_clock_that_is_set_back_stops_nobody_from_being_written_down(central: Central, clock: FakeClock) -> None:
    line = known(central)
    clock.jump(-86_400)
    line.seen_at = clock.now()
    asyncio.run(central.look())
    assert (station(central).line.seen_at, station(central).line.alive_at) == (clock.now(), clock.now())


def order(clock: FakeClock, id: str = "1") -> Command:
    now = clock.now()
    expires_at = now + timedelta(seconds=LIFE_S)
    return Command(id=id, box_id="CP-1", action=Action.SOFT_RESET, asked_by="me", asked_at=now, expires_at=expires_at)


def with_point(central: Central, act: Callable[[Point, Wire], Awaitable[None]]) -> None:
    async def main() -> None:
        wire = Wire()
        point = Point(StationLine("CP-1", wire, standing=Admission.ADMITTED, clock=central.clock), central)
        listening = asyncio.create_task(point.listen())
        try:
            await act(point, wire)
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)

    asyncio.run(main())


def test_an_error_that_the_protocol_has_no_word_for_is_an_answer_too(central: Central, clock: FakeClock) -> None:
    async def act(point: Point, wire: Wire) -> None:
        performing = asyncio.create_task(point.perform(order(clock)))
        _, unique_id, *_ = json.loads(await wire.outgoing.get())
        await wire.incoming.put(json.dumps([4, unique_id, "VendorSaysNo", "", {}]))
        assert await performing == (CommandState.FAILED, "VendorSaysNo")

    with_point(central, act)


def test_what_waited_behind_another_until_nobody_waits_any_more_is_not_sent(central: Central, clock: FakeClock) -> None:
    """It was told to have had no answer: a start or a reset that comes about later would surprise whoever stands there."""

    async def act(point: Point, wire: Wire) -> None:
        first = asyncio.create_task(point.perform(order(clock, "1")))
        _, unique_id, *_ = json.loads(await wire.outgoing.get())
        second = asyncio.create_task(point.perform(order(clock, "2")))
        await asyncio.sleep(0)  # it is behind the first
        clock.advance(LIFE_S + 1)
        await wire.incoming.put(json.dumps([3, unique_id, {"status": "Accepted"}]))
        assert await first == (CommandState.ANSWERED, "Accepted")
        assert await asyncio.wait_for(second, 10) == (CommandState.NO_ANSWER, None)
        assert wire.outgoing.empty()

    with_point(central, act)
