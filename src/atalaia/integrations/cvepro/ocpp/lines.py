"""One charge point's connection, as far as this hub has it."""

from datetime import datetime

from atalaia.core.clock import Clock
from atalaia.integrations.cvepro.model.stations import Admission
from atalaia.sdk.sockets import NORMAL, Socket


class StationLine:
    """`recv` and `send` as the protocol's library calls them. Who was not admitted may do little more than say so."""

    def __init__(self, box_id: str, socket: Socket, *, standing: Admission | None, clock: Clock) -> None:
        self.box_id = box_id
        self.standing = standing  # none: nobody knows it, nor shall
        self._socket = socket
        self._clock = clock
        self.connected_at: datetime = clock.now()
        self.seen_at = self.connected_at
        self.written_at: datetime | None = None

    @property
    def is_admitted(self) -> bool:
        return self.standing is Admission.ADMITTED

    @property
    def client(self) -> str:
        return self._socket.request.client

    async def recv(self) -> str:
        text = await self._socket.receive()
        self.seen_at = self._clock.now()
        return text

    async def send(self, text: str) -> None:
        await self._socket.send(text)

    async def close(self, reason: str, *, code: int = NORMAL) -> None:
        await self._socket.close(code, reason)
