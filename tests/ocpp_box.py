# mypy: disable-error-code="untyped-decorator"
"""A charge point as the library's own side of it: what it was asked is on record, what it answers can be set."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any

from ocpp.routing import on
from ocpp.v16 import ChargePoint, call, call_result
from ocpp.v16.enums import Action
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

SUBPROTOCOL = "ocpp1.6"


class Box(ChargePoint):  # type: ignore[misc] # the library has no types
    def __init__(self, box_id: str, connection: ClientConnection, *, timeout_s: float = 10) -> None:
        super().__init__(box_id, connection, response_timeout=timeout_s)
        self.connection = connection
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.answers: dict[str, str] = {}

    def _answer(self, name: str, usual: str, told: dict[str, Any]) -> str:
        self.asked.append((name, told))
        return self.answers.get(name, usual)

    @on(Action.remote_start_transaction)
    def on_remote_start(self, **told: Any) -> Any:
        return call_result.RemoteStartTransaction(status=self._answer("start", "Accepted", told))

    @on(Action.remote_stop_transaction)
    def on_remote_stop(self, **told: Any) -> Any:
        return call_result.RemoteStopTransaction(status=self._answer("stop", "Accepted", told))

    @on(Action.unlock_connector)
    def on_unlock(self, **told: Any) -> Any:
        return call_result.UnlockConnector(status=self._answer("unlock", "Unlocked", told))

    @on(Action.reset)
    def on_reset(self, **told: Any) -> Any:
        return call_result.Reset(status=self._answer("reset", "Accepted", told))

    @on(Action.change_availability)
    def on_availability(self, **told: Any) -> Any:
        return call_result.ChangeAvailability(status=self._answer("availability", "Accepted", told))

    async def boot(self, **more: Any) -> Any:
        return await self.ask(call.BootNotification(charge_point_vendor="Simulated", charge_point_model="One", **more))

    async def status(
        self, status: str, *, connector: int = 1, error: str = "NoError", at: datetime | None = None
    ) -> Any:
        return await self.ask(
            call.StatusNotification(
                connector_id=connector, error_code=error, status=status, timestamp=zulu(at) if at else None
            )
        )

    async def begin(self, tag: str, *, wh: int, at: datetime, connector: int = 1) -> Any:
        return await self.ask(
            call.StartTransaction(connector_id=connector, id_tag=tag, meter_start=wh, timestamp=zulu(at))
        )

    async def end(self, number: int, *, wh: int, at: datetime, **more: Any) -> Any:
        return await self.ask(call.StopTransaction(transaction_id=number, meter_stop=wh, timestamp=zulu(at), **more))

    async def measure(
        self, *samples: dict[str, str], at: datetime, connector: int = 1, number: int | None = None
    ) -> Any:
        value = [{"timestamp": zulu(at), "sampled_value": list(samples)}]
        return await self.ask(call.MeterValues(connector_id=connector, meter_value=value, transaction_id=number))

    async def ask(self, message: Any) -> Any:
        """Raises: OCPPError: the answer is an error."""
        return await self.call(message, suppress=False)


def energy(wh: float, unit: str = "Wh") -> dict[str, str]:
    return {"value": f"{wh:g}", "measurand": "Energy.Active.Import.Register", "unit": unit}


def power(w: float, unit: str = "W") -> dict[str, str]:
    return {"value": f"{w:g}", "measurand": "Power.Active.Import", "unit": unit}


def zulu(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def credentials(box_id: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{box_id}:{password}".encode()).decode()}


@asynccontextmanager
async def plugged_in(url: str, box_id: str, *, password: str | None = None, **options: Any) -> AsyncIterator[Box]:
    """`url` is the hub's. Raises: InvalidStatus: it was refused."""
    address = f"{url.replace('http', 'ws', 1)}/ocpp/{box_id}"
    headers = credentials(box_id, password) if password is not None else {}
    async with connect(
        address, subprotocols=[Subprotocol(SUBPROTOCOL)], additional_headers=headers, proxy=None, **options
    ) as line:
        box = Box(box_id, line)
        listening = asyncio.create_task(_listen(box))
        try:
            yield box
        finally:
            listening.cancel()
            with suppress(asyncio.CancelledError):
                await listening


async def _listen(box: Box) -> None:
    with suppress(ConnectionClosed):
        await box.start()
