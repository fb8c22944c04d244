"""The central system: who may connect, who is connected here, and what is written of that.

On each hub of several. A charge point that connects anew replaces its former line, wherever that was.
"""

import asyncio
import base64
import binascii
import hashlib
import hmac
import importlib
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Final, TypeVar

import structlog

from atalaia.core.clock import Clock
from atalaia.core.errors import Forbidden, InvalidField, NotFound, Overloaded, Unauthenticated
from atalaia.core.ids import new_id
from atalaia.core.translations import N_
from atalaia.integrations.cvepro.model.stations import PROTOCOL, Admission, Policy, Station, read_box_id
from atalaia.integrations.cvepro.ocpp.book import TOPIC, Book
from atalaia.integrations.cvepro.ocpp.lines import StationLine
from atalaia.integrations.cvepro.queries import stations
from atalaia.integrations.cvepro.service.telling import Telling
from atalaia.sdk.contribution import Loop
from atalaia.sdk.integration import Host
from atalaia.sdk.sockets import Socket, SocketClosed, SocketRequest, SocketRoute
from atalaia.sdk.transaction import Tx, Unit

if TYPE_CHECKING:
    from atalaia.integrations.cvepro.ocpp.point import Point

T = TypeVar("T")
PATH: Final = "/ocpp/{box_id}"
STATIONS_TOPIC: Final = "cvepro_stations"
_LOOK_S: Final = 5.0
_BEAT: Final = timedelta(seconds=60)  # or the heartbeat's interval, where that is shorter
_DEAD: Final = timedelta(seconds=150)
_LONGEST_HEARTBEAT_S: Final = 300
_SILENCE_S: Final = 1800.0
_MOST_PENDING: Final = 100
_MOST_STRANGERS: Final = 50
_STRANGER: Final = N_("Too many charge points wait to be let in.")
_WRONG: Final = N_("The password is wrong.")

log = structlog.get_logger()


class Central:
    def __init__(self, host: Host, telling: Telling | None = None) -> None:
        self.hub = new_id()
        self.book = Book(host, telling)
        self.points: dict[str, Point] = {}
        self._lines: dict[str, StationLine] = {}  # the newest of each, also while it is being taken up
        self._host = host
        self._refused: Counter[str] = Counter()
        self._is_new = True

    @property
    def clock(self) -> Clock:
        return self._host.clock

    @property
    def heartbeat_s(self) -> int:
        """Three may be lost before it counts as silent."""
        return max(10, min(_LONGEST_HEARTBEAT_S, int(float(self._host.setting("heartbeat_limit_s")) / 3)))

    def route(self) -> SocketRoute:
        return SocketRoute(
            path=PATH,
            subprotocols=(PROTOCOL,),
            authenticate=self.authenticate,
            serve=self.serve,
            realm="OCPP",
            idle_s=_SILENCE_S,
        )

    def loop(self) -> Loop:
        return Loop("cvepro_lines", _LOOK_S, self.look, leader_only=False)

    async def write(self, unit: Unit[T]) -> T:
        return await self._host.write(unit)

    async def authenticate(self, request: SocketRequest) -> Admission | None:
        """How it stands; none of one that nobody knows. Raises: NotFound, Forbidden, Unauthenticated, Overloaded."""
        try:
            box_id = read_box_id(request.path_params["box_id"])
        except InvalidField as error:
            raise NotFound(N_("there is nothing here")) from error

        def unit(tx: Tx) -> tuple[Station | None, bytes | None]:
            return stations.find(tx, box_id), stations.password_of(tx, box_id)

        station, sha256 = await self._host.read(unit)
        if station is None:
            return await self._of_stranger(box_id)
        if sha256 is not None and not _is_right(request.headers.get("authorization", ""), box_id, sha256):
            self._refused[box_id] += 1
            log.warning("ocpp_password_wrong", box_id=box_id, client=request.client)
            raise Unauthenticated(_WRONG)
        if station.standing is Admission.REFUSED:
            raise Forbidden(N_("This charge point was refused."))
        return station.standing

    async def serve(self, socket: Socket, standing: Admission | None) -> None:
        box_id = read_box_id(socket.request.path_params["box_id"])
        line = StationLine(box_id, socket, standing=standing, clock=self._host.clock)
        before, self._lines[box_id] = self._lines.get(box_id), line
        try:
            if before is not None:
                await before.close("it has connected anew")
            # Late, and in a thread: the library with its schemas takes a third of a second to load.
            module = await asyncio.to_thread(importlib.import_module, "atalaia.integrations.cvepro.ocpp.point")
            if self._lines.get(box_id) is line:
                await self._listen(module.Point(line, self))
        except SocketClosed as error:
            log.info("ocpp_left", box_id=box_id, code=error.code)
        finally:
            if self._lines.get(box_id) is line:
                del self._lines[box_id]

    async def _listen(self, point: "Point") -> None:
        """Raises: SocketClosed."""
        line = point.line
        self.points[line.box_id] = point
        try:
            await self._connected(line)
            await point.listen()
        finally:
            if self.points.get(line.box_id) is point:
                del self.points[line.box_id]
            if line.standing is not None:
                await self._disconnected(line)

    async def standing_of(self, line: StationLine) -> Admission | None:
        if line.standing is not None:
            found = await self._host.read(lambda tx: stations.find(tx, line.box_id))
            line.standing = found.standing if found is not None else None
        return line.standing

    async def look(self) -> None:
        """Write down who is connected still, once a minute; close what has its line elsewhere by now."""
        now = self._host.clock.now()
        due = [each.line for each in self.points.values() if each.line.standing is not None]
        beat = min(_BEAT, timedelta(seconds=self.heartbeat_s))
        # Also where the clock was set back since.
        due = [line for line in due if line.written_at is None or not timedelta() <= now - line.written_at < beat]
        refused, self._refused = self._refused, Counter()
        is_new, self._is_new = self._is_new, False

        def unit(tx: Tx) -> set[str]:
            stations.count_refused(tx, refused, now=now)
            ended = stations.end_dead_lines(tx, before=now - _DEAD)
            if is_new and tx.dialect == "sqlite":  # there is one hub, and it has just begun
                ended += stations.end_lines_of_others(tx, self.hub)
            if refused or ended:
                tx.publish(STATIONS_TOPIC)
            return stations.beat(tx, {line.box_id: line.seen_at for line in due}, hub=self.hub, now=now)

        if not (due or refused or is_new or self._is_time(now.timestamp())):
            return
        lost = await self._host.write(unit)
        for line in due:
            line.written_at = now
            if line.box_id in lost:
                await line.close("it has connected elsewhere")

    async def judge(self) -> None:
        """Those that fell silent; on one hub of several."""

        def unit(tx: Tx) -> None:
            if stations.has_any(tx):
                self.book.judge(tx)

        await self._host.write(unit)

    def _is_time(self, seconds: float) -> bool:
        """Once a minute even where nobody is connected here: others' lines may be dead."""
        return seconds % _BEAT.total_seconds() < _LOOK_S

    async def _of_stranger(self, box_id: str) -> Admission | None:
        """Raises: Overloaded: too many wait already."""
        policy = policy_of(str(self._host.setting("ocpp_admission")))
        if policy is Policy.CLOSED:
            self._check_strangers()
            return None
        standing = Admission.ADMITTED if policy is Policy.OPEN else Admission.PENDING
        now = self._host.clock.now()

        def unit(tx: Tx) -> None:
            if standing is Admission.PENDING and stations.count_pending(tx) >= _MOST_PENDING:
                raise Overloaded(_STRANGER, retry_after_s=300)
            stations.add(tx, box_id, standing, by=None, now=now)
            tx.publish(STATIONS_TOPIC)

        self._check_strangers()
        await self._host.write(unit)
        log.warning("ocpp_stranger", box_id=box_id, standing=str(standing))
        return standing

    def _check_strangers(self) -> None:
        """Raises: Overloaded."""
        if sum(not each.line.is_admitted for each in self.points.values()) >= _MOST_STRANGERS:
            raise Overloaded(_STRANGER, retry_after_s=300)

    async def _connected(self, line: StationLine) -> None:
        if line.standing is None:
            return

        def unit(tx: Tx) -> None:
            stations.connect(tx, line.box_id, hub=self.hub, client=line.client, now=line.connected_at)
            self._tell(tx, line)

        await self._host.write(unit)
        line.written_at = line.connected_at

    async def _disconnected(self, line: StationLine) -> None:
        def unit(tx: Tx) -> None:
            stations.disconnect(tx, line.box_id, hub=self.hub, connected_at=line.connected_at, seen_at=line.seen_at)
            self._tell(tx, line)

        await self._host.write(unit)

    def _tell(self, tx: Tx, line: StationLine) -> None:
        tx.publish(STATIONS_TOPIC)
        if line.is_admitted:
            tx.publish(TOPIC)


def policy_of(text: str) -> Policy:
    """A word that is none of them lets nobody in unasked."""
    return Policy(text) if text in set(Policy) else Policy.ASK


def digest(password: str) -> bytes:
    """SHA-256: enough for random passwords of 160 bits, which nobody can try out."""
    return hashlib.sha256(password.encode()).digest()


def _is_right(authorization: str, box_id: str, sha256: bytes) -> bool:
    kind, _, encoded = authorization.partition(" ")
    if kind.lower() != "basic":
        return False
    try:
        name, _, password = base64.b64decode(encoded, validate=True).partition(b":")
    except (binascii.Error, ValueError):
        return False
    # As it was entered, or the bytes that its digits stand for, as the protocol's security whitepaper has it.
    is_known = [
        hmac.compare_digest(hashlib.sha256(each).digest(), sha256) for each in (password, password.hex().encode())
    ]
    return hmac.compare_digest(name, box_id.encode()) and any(is_known)
