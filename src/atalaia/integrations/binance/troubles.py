"""An account that can't be worked with: an incident when the exchange refuses it, or after it has failed for a while."""

from typing import Final

import structlog

from atalaia.core.redaction import scrub
from atalaia.core.translations import N_
from atalaia.integrations.binance.exchange.failures import Refused
from atalaia.integrations.binance.model.refusals import meaning_of, runbook_of
from atalaia.sdk.faults import FaultReport
from atalaia.sdk.integration import Host
from atalaia.sdk.signals import SignalRun

log = structlog.get_logger()
PATIENCE_S: Final = 30.0
_TITLE: Final = N_("Operations of an account can't be watched")


class Troubles:
    """In this process: since when each account fails, and whether that was told."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._since: dict[str, float] = {}  # monotonic
        self._told: dict[str, bool] = {}  # nothing is known of one before its first run here

    async def failed(self, run: SignalRun, account_id: str, name: str, error: BaseException) -> None:
        now = self._host.clock.monotonic()
        if account_id not in self._since:
            log.warning("binance_account_failed", account=name, reason=scrub(str(error)), kind=type(error).__name__)
        since = self._since.setdefault(account_id, now)
        if self._told.get(account_id) or not (isinstance(error, Refused) or now - since >= PATIENCE_S):
            return
        code = error.exchange_code if isinstance(error, Refused) else None
        fault = FaultReport(
            key=_key(account_id),
            title=meaning_of(code).title if code else _TITLE,
            name=name,
            reason=scrub(str(error)),
            labels={"account": name},
            runbook=runbook_of(code),
        )
        await run.write(lambda tx: self._host.report_fault(tx, fault))
        self._told[account_id] = True

    async def well(self, run: SignalRun, account_id: str, name: str) -> None:
        if self._since.pop(account_id, None) is not None:
            log.warning("binance_account_back", account=name)
        if self._told.get(account_id, True):
            await run.write(lambda tx: self._host.end_fault(tx, _key(account_id)))
            self._told[account_id] = False


def _key(account_id: str) -> str:
    return f"account:{account_id}"
