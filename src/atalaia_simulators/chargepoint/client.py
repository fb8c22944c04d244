"""A charge point's connection to the hub: it comes back by itself, and tells late what it could not tell."""

import asyncio
import base64
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from ocpp.exceptions import OCPPError
from ocpp.routing import on
from ocpp.v16 import ChargePoint, call, call_result, enums
from ocpp.v16.enums import Action
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from atalaia_simulators.chargepoint.life import Life, Options, Phase

_FIRST_WAIT_S: Final = 1.0
_LONGEST_WAIT_S: Final = 30.0
_SLICE_S: Final = 0.2
_SUBPROTOCOL: Final = "ocpp1.6"
_LOST: Final = (OSError, ConnectionClosed, InvalidHandshake, TimeoutError)

Tell = Callable[[str], None]


class Station(ChargePoint):  # type: ignore[misc] # the library has no types
    """One connection."""

    def __init__(self, life: Life, connection: Any) -> None:
        super().__init__(life.options.box_id, connection)
        self._life = life
        self.is_to_restart = False

    @on(Action.remote_start_transaction)  # type: ignore[untyped-decorator]
    def on_remote_start(self, id_tag: str, **_told: Any) -> Any:
        is_free = self._life.phase in {Phase.AVAILABLE, Phase.PREPARING}
        if is_free:
            self._life.wishes.append(("start", id_tag))
        return call_result.RemoteStartTransaction(status=_accepted(is_free))

    @on(Action.remote_stop_transaction)  # type: ignore[untyped-decorator]
    def on_remote_stop(self, transaction_id: int, **_told: Any) -> Any:
        running = self._life.running
        is_ours = running is not None and running.number == transaction_id
        if is_ours:
            self._life.wishes.append(("stop", "Remote"))
        return call_result.RemoteStopTransaction(status=_accepted(is_ours))

    @on(Action.unlock_connector)  # type: ignore[untyped-decorator]
    def on_unlock(self, **_told: Any) -> Any:
        self._life.stop("UnlockCommand")
        return call_result.UnlockConnector(status=enums.UnlockStatus.unlocked)

    @on(Action.reset)  # type: ignore[untyped-decorator]
    def on_reset(self, type: str, **_told: Any) -> Any:
        self._life.stop(f"{type}Reset")
        self.is_to_restart = True
        return call_result.Reset(status=enums.ResetStatus.accepted)

    @on(Action.change_availability)  # type: ignore[untyped-decorator]
    def on_availability(self, type: str, **_told: Any) -> Any:
        if self._life.running is not None:
            return call_result.ChangeAvailability(status=enums.AvailabilityStatus.scheduled)
        is_operative = type == enums.AvailabilityType.operative
        self._life.phase = Phase.AVAILABLE if is_operative else Phase.UNAVAILABLE
        return call_result.ChangeAvailability(status=enums.AvailabilityStatus.accepted)

    async def live(self) -> None:
        """From its start until it is told to restart. Raises: what says that the line is lost."""
        await self._boot()
        life = self._life
        told: Phase | None = None
        while not self.is_to_restart:
            if life.phase is not told:
                told = life.phase
                await self._ask(
                    call.StatusNotification(connector_id=1, error_code="NoError", status=told, timestamp=life.stamp())
                )
            await self._tell_all()
            if life.running is not None:
                await self._measure()
            life.go_on(await self._pause())

    async def _pause(self) -> float:
        """Until the next meter value is due, or something is to be done; the simulated seconds that went by."""
        life, options, loop = self._life, self._life.options, asyncio.get_running_loop()
        phase, began = life.phase, loop.time()
        until = began + options.meter_s / options.scale
        while True:
            await asyncio.sleep(max(0.0, min(_SLICE_S, until - loop.time())))
            is_due = loop.time() >= until or phase in {Phase.PREPARING, Phase.FINISHING}
            if is_due or life.wishes or life.phase is not phase or self.is_to_restart:
                return (loop.time() - began) * options.scale

    async def _boot(self) -> None:
        options = self._life.options
        while True:
            answer = await self._ask(
                call.BootNotification(charge_point_vendor=options.vendor, charge_point_model=options.model)
            )
            if answer is not None and answer.status == enums.RegistrationStatus.accepted:
                return
            await asyncio.sleep(answer.interval if answer is not None else _LONGEST_WAIT_S)

    async def _tell_all(self) -> None:
        """What belongs to transactions, in its order; each until it is answered."""
        untold = self._life.untold
        while untold:
            message, transaction = untold[0]
            if isinstance(message, call.StopTransaction):
                message.transaction_id = transaction.number or 0
            answer = await self._ask(message)
            untold.popleft()
            if answer is not None and isinstance(message, call.StartTransaction):
                transaction.number = answer.transaction_id
                if answer.id_tag_info["status"] != enums.AuthorizationStatus.accepted:
                    self._life.refused(transaction)

    async def _measure(self) -> None:
        life = self._life
        running = life.running
        share = min(1.0, life.car_wh / life.options.need_wh)
        samples = [
            {"value": f"{life.meter_wh:.0f}", "measurand": "Energy.Active.Import.Register", "unit": "Wh"},
            {"value": f"{life.power_w:.0f}", "measurand": "Power.Active.Import", "unit": "W"},
            {"value": f"{20 + 80 * share:.0f}", "measurand": "SoC", "unit": "Percent"},
        ]
        value = [{"timestamp": life.stamp(), "sampled_value": samples}]
        number = running.number if running is not None else None
        await self._ask(call.MeterValues(connector_id=1, meter_value=value, transaction_id=number))

    async def _ask(self, message: Any) -> Any:
        """None: the answer was an error."""
        with suppress(OCPPError):
            return await self.call(message, suppress=False)
        return None


async def serve(options: Options, *, tell: Tell) -> None:
    """Until cancelled; the line comes back by itself."""
    life, wait_s = Life(options), _FIRST_WAIT_S
    while True:
        try:
            async with connect(_address(options), **_given(options)) as connection:
                tell(f"{options.box_id}: connected to {_address(options)}")
                wait_s = _FIRST_WAIT_S
                await _live(Station(life, connection))
        except _LOST as error:
            tell(f"{options.box_id}: {type(error).__name__}: {error}; again in {wait_s:g} s")
            await asyncio.sleep(wait_s)
            wait_s = min(_LONGEST_WAIT_S, wait_s * 2)


async def _live(station: Station) -> None:
    """Raises: what says that the line is lost."""
    tasks = {asyncio.ensure_future(station.start()), asyncio.ensure_future(station.live())}
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class InThread:
    """For the demo and for tests."""

    def __init__(self, options: Options, *, tell: Tell = lambda _line: None) -> None:
        self._options = options
        self._tell = tell
        self._loop = asyncio.new_event_loop()
        self._task: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._run, name=f"chargepoint {options.box_id}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        with suppress(RuntimeError):  # it has ended by itself
            self._loop.call_soon_threadsafe(lambda: self._task.cancel() if self._task else None)
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._task = self._loop.create_task(serve(self._options, tell=self._tell))
        with suppress(asyncio.CancelledError):
            self._loop.run_until_complete(self._task)
        self._loop.close()


def _accepted(is_so: bool) -> Any:
    return enums.RemoteStartStopStatus.accepted if is_so else enums.RemoteStartStopStatus.rejected


def _address(options: Options) -> str:
    url = options.url.rstrip("/")
    if url.startswith("http"):
        url = f"ws{url.removeprefix('http')}"
    if not url.endswith("/ocpp"):
        url = f"{url}/ocpp"
    return f"{url}/{options.box_id}"


def _given(options: Options) -> dict[str, Any]:
    headers = {}
    if options.password is not None:
        basic = base64.b64encode(f"{options.box_id}:{options.password}".encode()).decode()
        headers["Authorization"] = f"Basic {basic}"
    return {"subprotocols": [_SUBPROTOCOL], "additional_headers": headers, "proxy": None}
