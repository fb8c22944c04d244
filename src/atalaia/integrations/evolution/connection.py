"""The watch over the connection to WhatsApp: asked each minute, told as a fault when it is not open for too long."""

from typing import Final

import structlog

from atalaia.core.errors import AtalaiaError
from atalaia.core.translations import N_
from atalaia.integrations.evolution.api import OPEN, EvolutionApi
from atalaia.sdk.faults import FaultReport
from atalaia.sdk.integration import Host

FAULT: Final = "connection"
_RUNBOOK: Final = (
    "1. Open the manager of the Evolution API and look at the instance.\n"
    "2. `close`: the phone has ended the session. Connect it anew with its QR code (WhatsApp → Linked devices).\n"
    "3. `connecting` for minutes: restart the instance; look whether the phone is on and online.\n"
    "4. No answer: look whether the Evolution API runs, and whether address, key and instance are right in the settings.\n\n"
    "Messages wait meanwhile, for up to 24 hours, and go out when it is connected again."
)

log = structlog.get_logger()


class Connection:
    def __init__(self, host: Host, api: EvolutionApi) -> None:
        self._host = host
        self._api = api
        self._state = OPEN  # until it is known: no false alarm after a start
        self._closed_at: float | None = None  # by the monotonic clock
        self._is_told: bool | None = None  # None: a former process may have told it

    def is_well(self) -> bool:
        return self._state == OPEN

    async def look(self) -> None:
        if not self._api.is_configured:
            self._note(OPEN)
        else:
            self._note(await self._ask())
        now = self._host.clock.monotonic()
        if self._closed_at is None:
            await self._end()
        elif now - self._closed_at >= float(self._host.setting("closed_after_s")):
            await self._tell()

    async def _ask(self) -> str:
        try:
            return await self._api.state()
        except AtalaiaError as error:
            return str(error)

    def _note(self, state: str) -> None:
        if state == OPEN:
            if not self.is_well():
                log.info("whatsapp_connected")
            self._closed_at = None
        elif self._closed_at is None:
            log.warning("whatsapp_not_connected", state=state)
            self._closed_at = self._host.clock.monotonic()
        self._state = state

    async def _tell(self) -> None:
        if self._is_told:
            return
        fault = FaultReport(
            key=FAULT,
            title=N_("WhatsApp is not connected"),
            name=str(self._host.setting("instance")),
            reason=self._state,
            labels={"integration": "evolution"},
            runbook=_RUNBOOK,
        )
        await self._host.write(lambda tx: self._host.report_fault(tx, fault))
        self._is_told = True

    async def _end(self) -> None:
        if self._is_told is False:
            return
        await self._host.write(lambda tx: self._host.end_fault(tx, FAULT))
        self._is_told = False
