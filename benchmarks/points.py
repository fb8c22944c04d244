"""Charge points as load: each on a connection of its own boots, begins a session and tells what its meter says.

`python -m benchmarks.points` takes a `Plan` as JSON on stdin; it says "ready" once all sessions have begun, measures each
pace for as long as it says when it gets a line for it, and prints a `Told` as JSON for each.
"""

import asyncio
import itertools
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

import msgspec
import uvloop
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from benchmarks.figures import LOAD_CORE

ROOT = Path(__file__).resolve().parent.parent
READY = b"ready\n"
_OPENED_AT_ONCE = 20
_STEP = timedelta(seconds=30)  # of the meter's time between two values, however quickly they are told
_WH_A_STEP = 60  # 7.2 kW


class Plan(msgspec.Struct, frozen=True):
    port: int
    points: int


class Pace(msgspec.Struct, frozen=True):
    """Each point tells its values every so often; 0: as soon as it is answered."""

    every_s: float
    seconds: float


class Told(msgspec.Struct, frozen=True):
    """From a message to its answer, in seconds."""

    waits_s: list[float]
    failed: int


class Garage:
    """The process that has the charge points, on the core that is not the server's."""

    def __init__(self, plan: Plan) -> None:
        command = ["taskset", "-c", str(LOAD_CORE), sys.executable, "-m", "benchmarks.points"]
        self._process = Popen(command, stdin=PIPE, stdout=PIPE, cwd=ROOT)
        self._say(plan)
        if self._heard() != READY:
            raise RuntimeError("the charge points could not begin")

    def tell(self, pace: Pace) -> Told:
        self._say(pace)
        return msgspec.json.decode(self._heard(), type=Told)

    def end(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)

    def _say(self, value: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(msgspec.json.encode(value) + b"\n")
        self._process.stdin.flush()

    def _heard(self) -> bytes:
        assert self._process.stdout is not None
        return self._process.stdout.readline()


class _Point:
    def __init__(self, number: int, line: ClientConnection) -> None:
        self.box_id = f"BENCH-{number:03}"
        self._line = line
        self._ids = itertools.count()
        self._wh = 1000
        self._at = datetime.now(UTC) - timedelta(days=60)
        self._transaction = 0

    async def begin(self) -> None:
        await self._ask("BootNotification", {"chargePointVendor": "Bench", "chargePointModel": "One"})
        await self._ask("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Charging"})
        told = {"connectorId": 1, "idTag": self.box_id, "meterStart": self._wh, "timestamp": self._at.isoformat()}
        self._transaction = (await self._ask("StartTransaction", told))["transactionId"]

    async def measure(self) -> float:
        """How long the answer took. Raises: RuntimeError: it is an error."""
        self._at += _STEP
        self._wh += _WH_A_STEP
        values = [
            {"value": str(self._wh), "measurand": "Energy.Active.Import.Register", "unit": "Wh"},
            {"value": "7200", "measurand": "Power.Active.Import", "unit": "W"},
        ]
        told: dict[str, Any] = {"connectorId": 1, "transactionId": self._transaction}
        told["meterValue"] = [{"timestamp": self._at.isoformat(), "sampledValue": values}]
        began = time.perf_counter()
        await self._ask("MeterValues", told)
        return time.perf_counter() - began

    async def _ask(self, action: str, told: dict[str, Any]) -> Any:
        id_ = str(next(self._ids))
        await self._line.send(msgspec.json.encode([2, id_, action, told]).decode())
        answer = msgspec.json.decode(await self._line.recv())
        if answer[:2] != [3, id_]:
            raise RuntimeError(f"{action}: {answer}")
        return answer[2]


async def _told(points: list[_Point], pace: Pace) -> Told:
    waits_s: list[float] = []
    failed = 0
    until = time.perf_counter() + pace.seconds

    async def tell(point: _Point, first_s: float) -> None:
        nonlocal failed
        due = time.perf_counter() + first_s
        while due < until:
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            try:
                waits_s.append(await point.measure())
            except RuntimeError:
                failed += 1
            due = max(due + pace.every_s, time.perf_counter())

    await asyncio.gather(*(tell(each, pace.every_s * n / len(points)) for n, each in enumerate(points)))
    return Told(waits_s, failed)


async def _opened(plan: Plan, number: int) -> _Point:
    address = f"ws://127.0.0.1:{plan.port}/ocpp/BENCH-{number:03}"
    line = await connect(address, subprotocols=[Subprotocol("ocpp1.6")], proxy=None, compression=None)
    point = _Point(number, line)
    await point.begin()
    return point


async def run(plan: Plan) -> None:
    points: list[_Point] = []
    for start in range(0, plan.points, _OPENED_AT_ONCE):
        numbers = range(start, min(plan.points, start + _OPENED_AT_ONCE))
        points += await asyncio.gather(*(_opened(plan, number) for number in numbers))
    sys.stdout.buffer.write(READY)
    sys.stdout.buffer.flush()
    while line := await asyncio.to_thread(sys.stdin.buffer.readline):
        told = await _told(points, msgspec.json.decode(line, type=Pace))
        sys.stdout.buffer.write(msgspec.json.encode(told) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    uvloop.run(run(msgspec.json.decode(sys.stdin.buffer.readline(), type=Plan)))
