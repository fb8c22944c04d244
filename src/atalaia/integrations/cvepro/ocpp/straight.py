"""What charge points that connect straight give to the hub, put together."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from atalaia.integrations.cvepro.ocpp.admitting import Admitting
from atalaia.integrations.cvepro.ocpp.central import Central
from atalaia.integrations.cvepro.ocpp.commanding import Commanding
from atalaia.integrations.cvepro.queries import commands, transactions
from atalaia.integrations.cvepro.service.telling import Telling
from atalaia.sdk.contribution import Loop
from atalaia.sdk.integration import Host
from atalaia.sdk.sockets import SocketRoute
from atalaia.sdk.transaction import Tx

_JUDGE_S: Final = 10.0
_TIDY_S: Final = 3600.0
_THINNED_TO: Final = timedelta(minutes=15)
_WINDOW: Final = timedelta(days=7)  # what was thinned before is not looked through again, but for the first time
_COMMANDS_KEPT: Final = timedelta(days=90)


class Straight:
    def __init__(self, host: Host, telling: Telling | None = None) -> None:
        self._host = host
        self._has_tidied = False
        self.central = Central(host, telling)
        self.commanding = Commanding(host, self.central)
        self.admitting = Admitting(host, self.commanding, self.central.book)

    def sockets(self) -> Sequence[SocketRoute]:
        return (self.central.route(),)

    def loops(self) -> Sequence[Loop]:
        return (
            self.central.loop(),
            self.commanding.loop(),
            Loop("cvepro_silence", _JUDGE_S, self.central.judge),
            Loop("cvepro_tidying", _TIDY_S, self.tidy),
        )

    async def stop(self) -> None:
        await self.commanding.stop()

    async def tidy(self) -> None:
        """Old meter values are thinned out, old commands forgotten."""
        now = self._host.clock.now()
        before = now - timedelta(days=int(self._host.setting("ocpp_meter_days")))
        since = before - _WINDOW if self._has_tidied else None

        def unit(tx: Tx) -> None:
            transactions.thin(tx, since=since, before=before, every=_THINNED_TO)
            commands.forget(tx, before=now - _COMMANDS_KEPT)

        await self._host.write(unit)
        self._has_tidied = True
