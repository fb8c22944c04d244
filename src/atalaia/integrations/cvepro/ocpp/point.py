"""A charge point as the protocol's library has it: messages in their words to units of work, commands to messages."""

# mypy: disable-error-code="untyped-decorator"
# The library has no types.
import asyncio
from datetime import datetime
from typing import Any, Final, Protocol, TypeVar

import structlog
from ocpp.exceptions import OCPPError, PropertyConstraintViolationError, SecurityError, UnknownCallErrorCodeError
from ocpp.routing import on
from ocpp.v16 import ChargePoint, call, call_result, datatypes, enums
from ocpp.v16.enums import Action as Message

from atalaia.core.clock import Clock
from atalaia.integrations.cvepro.model.commands import TIMEOUT_S, Action, Command, CommandState
from atalaia.integrations.cvepro.model.fields import clean
from atalaia.integrations.cvepro.model.meters import Reading, read_meter_values
from atalaia.integrations.cvepro.model.stations import Admission, Boot
from atalaia.integrations.cvepro.model.transactions import MOST_WH, Tag
from atalaia.integrations.cvepro.ocpp.book import Book
from atalaia.integrations.cvepro.ocpp.lines import StationLine
from atalaia.sdk.sockets import NOT_ALLOWED, SocketClosed
from atalaia.sdk.transaction import Unit

T = TypeVar("T")
_MOST_UNREAD: Final = 10
_MOST_CONNECTORS: Final = 1000
_MOST_NUMBER: Final = 2**53
_RETRY_S: Final = 60  # until one that waits to be let in asks again
_QUEUED_ANSWERS: Final = 16

log = structlog.get_logger()


class Central(Protocol):
    """What a charge point's messages need of the central system."""

    @property
    def clock(self) -> Clock: ...

    @property
    def book(self) -> Book: ...

    @property
    def heartbeat_s(self) -> int: ...

    async def write(self, unit: Unit[T]) -> T: ...

    async def standing_of(self, line: StationLine) -> Admission | None:
        """As it is decided by now; kept on the line."""


class _Log:
    """The library's logger: what it says of each message is nobody's business, what it could not do is."""

    def __init__(self, box_id: str) -> None:
        self._box_id = box_id

    def info(self, _words: str, *_: Any) -> None: ...

    def warning(self, _words: str, *_: Any) -> None: ...

    def error(self, _words: str, *_: Any) -> None: ...

    def exception(self, words: str, *values: Any) -> None:
        error = next((each for each in values if isinstance(each, Exception)), None)
        log.warning("ocpp_not_answered", box_id=self._box_id, reason=words.partition("'")[0], exc_info=error is None)


class Point(ChargePoint):  # type: ignore[misc] # the library has no types
    """Each message is answered after the commit of what it told."""

    def __init__(self, line: StationLine, central: Central) -> None:
        super().__init__(line.box_id, line, response_timeout=TIMEOUT_S, logger=_Log(line.box_id))
        self._response_queue: asyncio.Queue[Any] = asyncio.Queue(_QUEUED_ANSWERS)
        self.line = line
        self._central = central
        self._book = central.book
        self._turn = asyncio.Lock()  # one command at a time, as the protocol has it

    async def listen(self) -> None:
        """Until the line is closed. Raises: SocketClosed."""
        unread = 0
        while unread < _MOST_UNREAD:
            text = await self.line.recv()
            try:
                await self.route_message(text)
            except SocketClosed:
                raise
            except Exception as error:  # noqa: BLE001 - whatever a charge point sends must not end its line at once
                unread += 1
                log.warning("ocpp_unreadable", box_id=self.line.box_id, reason=type(error).__name__)
        await self.line.close("too much that can't be read", code=NOT_ALLOWED)

    @on(Message.boot_notification)
    async def on_boot(self, charge_point_vendor: str, charge_point_model: str, **told: Any) -> Any:
        given = {
            "vendor": charge_point_vendor,
            "model": charge_point_model,
            "serial": told.get("charge_point_serial_number") or told.get("charge_box_serial_number"),
            "firmware": told.get("firmware_version"),
            **{name: told.get(name) for name in ("meter_type", "iccid", "imsi")},
            "meter_serial": told.get("meter_serial_number"),
        }
        boot = Boot(**{name: clean(text) or None for name, text in given.items() if text})
        standing = await self._central.standing_of(self.line)
        if standing is not None:
            await self._central.write(lambda tx: self._book.boot(tx, self.line.box_id, boot))
        status = _REGISTRATION.get(standing or Admission.REFUSED, enums.RegistrationStatus.rejected)
        interval = self._central.heartbeat_s if self.line.is_admitted else _RETRY_S
        return call_result.BootNotification(current_time=self._now(), interval=interval, status=status)

    @on(Message.heartbeat)
    async def on_heartbeat(self) -> Any:
        return call_result.Heartbeat(current_time=self._now())

    @on(Message.status_notification)
    async def on_status(
        self, connector_id: int, error_code: str, status: str, timestamp: str | None = None, **_rest: Any
    ) -> Any:
        await self._write(
            lambda tx: self._book.status(
                tx, self.line.box_id, _connector(connector_id), status=status, error_code=error_code, at=timestamp
            )
        )
        return call_result.StatusNotification()

    @on(Message.authorize)
    async def on_authorize(self, id_tag: str) -> Any:
        found = await self._write(lambda tx: self._book.authorize(tx, clean(id_tag)))
        return call_result.Authorize(id_tag_info=_info(found))

    @on(Message.start_transaction)
    async def on_start(self, connector_id: int, id_tag: str, meter_start: int, timestamp: str, **_rest: Any) -> Any:
        connector, start_wh = _connector(connector_id), _wh(meter_start)
        number, worth = await self._write(
            lambda tx: self._book.start(
                tx, self.line.box_id, connector, tag=clean(id_tag), start_wh=start_wh, at=clean(timestamp)
            )
        )
        return call_result.StartTransaction(transaction_id=number, id_tag_info=_info(worth))

    @on(Message.stop_transaction)
    async def on_stop(
        self,
        transaction_id: int,
        meter_stop: int,
        timestamp: str,
        reason: str | None = None,
        id_tag: str | None = None,
        transaction_data: list[Any] | None = None,
        **_rest: Any,
    ) -> Any:
        stop_wh, found = _wh(meter_stop), self._readings(transaction_data)
        tag = clean(id_tag) if id_tag else None
        worth = await self._write(
            lambda tx: self._book.stop(
                tx,
                self.line.box_id,
                _number(transaction_id),
                stop_wh=stop_wh,
                at=clean(timestamp),
                reason=reason,
                tag=tag,
                found=found,
            )
        )
        return call_result.StopTransaction(id_tag_info=None if worth is None else _info(worth))

    @on(Message.meter_values)
    async def on_meter_values(
        self, connector_id: int, meter_value: list[Any], transaction_id: int | None = None, **_rest: Any
    ) -> Any:
        connector, found = _connector(connector_id), self._readings(meter_value)
        number = None if transaction_id is None else _number(transaction_id)
        await self._write(lambda tx: self._book.measured(tx, self.line.box_id, connector, number=number, found=found))
        return call_result.MeterValues()

    @on(Message.data_transfer)
    async def on_data_transfer(self, **_told: Any) -> Any:
        return call_result.DataTransfer(status=enums.DataTransferStatus.unknown_vendor_id)

    @on(Message.firmware_status_notification)
    async def on_firmware_status(self, status: str, **_rest: Any) -> Any:
        log.info("ocpp_firmware_status", box_id=self.line.box_id, status=status)
        return call_result.FirmwareStatusNotification()

    @on(Message.diagnostics_status_notification)
    async def on_diagnostics_status(self, status: str, **_rest: Any) -> Any:
        log.info("ocpp_diagnostics_status", box_id=self.line.box_id, status=status)
        return call_result.DiagnosticsStatusNotification()

    async def perform(self, command: Command) -> tuple[CommandState, str | None]:
        """How it ended, and the charge point's word for it. Nothing is sent that nobody waits for any more."""
        async with self._turn:
            if self._central.clock.now() > command.expires_at:
                return CommandState.NO_ANSWER, None
            return await self._performed(command)

    async def _performed(self, command: Command) -> tuple[CommandState, str | None]:
        try:
            answer = await self.call(_message(command), suppress=False)
        except (TimeoutError, SocketClosed):
            return CommandState.NO_ANSWER, None
        except OCPPError as error:
            return CommandState.FAILED, type(error).code
        except UnknownCallErrorCodeError as error:  # which says: Error code '…' is not defined by …
            return CommandState.FAILED, clean(str(error).partition("'")[2].rpartition("'")[0]) or None
        return CommandState.ANSWERED, str(answer.status)

    async def _write(self, unit: Unit[T]) -> T:
        """Raises: SecurityError: it was not let in."""
        if not self.line.is_admitted and await self._central.standing_of(self.line) is not Admission.ADMITTED:
            raise SecurityError(details={"cause": "not accepted: send BootNotification until it is"})
        return await self._central.write(unit)

    def _readings(self, told: list[Any] | None) -> list[Reading]:
        return read_meter_values(told or [], now=self._central.clock.now())

    def _now(self) -> str:
        return _zulu(self._central.clock.now())


_REGISTRATION: Final = {
    Admission.ADMITTED: enums.RegistrationStatus.accepted,
    Admission.PENDING: enums.RegistrationStatus.pending,
}


def _message(command: Command) -> Any:
    given = command.arguments
    match command.action:
        case Action.START:
            return call.RemoteStartTransaction(id_tag=given["tag"], connector_id=given.get("connector"))
        case Action.STOP:
            return call.RemoteStopTransaction(transaction_id=given["transaction"])
        case Action.UNLOCK:
            return call.UnlockConnector(connector_id=given["connector"])
        case Action.SOFT_RESET:
            return call.Reset(type=enums.ResetType.soft)
        case Action.HARD_RESET:
            return call.Reset(type=enums.ResetType.hard)
        case Action.ENABLE:
            kind = enums.AvailabilityType.operative
        case _:
            kind = enums.AvailabilityType.inoperative
    return call.ChangeAvailability(connector_id=given.get("connector", 0), type=kind)


def _info(tag: Tag) -> Any:
    return datatypes.IdTagInfo(status=enums.AuthorizationStatus(str(tag)))


def _connector(number: int) -> int:
    return _within(number, _MOST_CONNECTORS)


def _wh(meter: int) -> int:
    return _within(meter, MOST_WH, least=-MOST_WH)


def _number(told: int) -> int:
    """One that can't be of ours is of nobody's."""
    return int(told) if -_MOST_NUMBER < told < _MOST_NUMBER else -1


def _within(number: int, most: int, *, least: int = 0) -> int:
    """Raises: PropertyConstraintViolationError."""
    if not least <= number <= most:
        raise PropertyConstraintViolationError(details={"cause": f"{number} can't be"})
    return int(number)


def _zulu(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
