"""What is told of an operation, in the transaction that makes it so: its events, its incident, the live pages."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from atalaia.core.translations import N_
from atalaia.integrations.binance.model.history import Trade
from atalaia.integrations.binance.model.legs import Intent, IntentState, executed_of
from atalaia.integrations.binance.model.operations import LONGEST_WAIT, Operation
from atalaia.integrations.binance.model.refusals import is_refusal, meaning_of, runbook_of
from atalaia.integrations.binance.model.states import Word, then
from atalaia.integrations.binance.queries import history, operations
from atalaia.sdk.faults import FaultReport
from atalaia.sdk.integration import Host
from atalaia.sdk.transaction import Tx

TOPIC: Final = "operations"  # of live pages; with the operation's id
# A close that came to nothing is no incident until this many times in a row, unless the exchange refused it.
PATIENCE: Final = 3
_PART: Final = N_("An operation is closed by half: one leg stands alone")
_UNTOLD: Final = N_("An operation is closed, and the exchange does not tell what it brought")
_ASK_ON: Final = (
    "1. Both legs are closed: nothing has to be done about the position.\n"
    "2. Look at the symbol's trade history at the exchange. Once all trades are there, the operation ends by itself at the next run."
)
_ALONE: Final = N_("One leg of an operation is gone, and was not closed here")
_NOTHING: Final = N_("An operation can't be closed")


class Telling:
    def __init__(self, host: Host) -> None:
        self._host = host

    def note(self, tx: Tx, operation: Operation, kind: str, data: Mapping[str, Any] | None = None) -> None:
        history.note(tx, operation.id, kind, data, at=self._host.clock.now())
        self.changed(tx, operation.id)

    def changed(self, tx: Tx, operation_id: str) -> None:
        tx.publish(TOPIC)
        tx.publish(TOPIC, operation_id)

    def order(self, tx: Tx, operation: Operation, intent: Intent) -> None:
        """What has become known of an order."""
        kinds = {
            IntentState.DONE: "order_done",
            IntentState.NOT_DONE: "order_not_done",
            IntentState.OPEN: "order_unknown",
        }
        data = {
            "side": str(intent.side),
            "client_order_id": intent.client_order_id,
            "quantity": intent.quantity,
            "executed": intent.executed,
            "average_price": intent.average_price,
            "exchange_code": intent.exchange_code,
            "failure": intent.failure or None,
        }
        self.note(
            tx, operation, kinds[intent.state], {name: value for name, value in data.items() if value is not None}
        )

    # -- at a look

    def gave_up(self, tx: Tx, operation: Operation) -> None:
        """A person asked for a close that can't be."""
        if operations.move(tx, operation, operation.state, wanted=None):
            self.note(tx, operation, "nothing_to_close", {"dry_run": operation.dry_run})

    def lost_leg(self, tx: Tx, operation: Operation) -> None:
        self.note(tx, operation, "leg_gone")
        fault = FaultReport(
            key=leg_fault_key(operation.id),
            title=_ALONE,
            name=f"{operation.name} ({operation.symbol})",
            severity="warning",
            labels={"symbol": operation.symbol, "operation": operation.id},
            runbook="1. Look at the symbol's positions at the exchange: was the leg closed by hand, or liquidated?\n"
            "2. What remains is decided upon alone. If that is not meant, stop the operation, or close it now.",
        )
        self._host.report_fault(tx, fault)

    def well_again(self, tx: Tx, operation: Operation) -> None:
        """It could not be closed, and need not be any more."""
        if operations.move(tx, operation, operation.state, has_fault=False, failures=0, retry_at=None):
            self._host.end_fault(tx, fault_key(operation.id))

    # -- a close that goes on

    def went_on(
        self, tx: Tx, operation: Operation, word: Word, intents: Sequence[Intent], *, is_last: bool
    ) -> Operation:
        """The state that follows from what is known; nothing is written where nothing has changed.

        `is_last`: nothing more is tried in this run; then a part that stands alone becomes an incident, unless it has just
        been found and is still being asked for.
        """
        to = then(operation.state, word)
        is_new = to is not operation.state
        last = intents[-1] if intents else None
        after = replace(operation, state=to)
        is_alone = is_last and (word is Word.PART or (word is Word.PART_UNKNOWN and not is_new))
        if word is Word.PART and is_last:
            after = self._later(after, intents)
        if is_alone and not operation.has_fault:
            self._report(tx, operation, _PART, intents)
            after = replace(after, has_fault=True)
        if after != operation:
            values = {"failures": after.failures, "retry_at": after.retry_at, "has_fault": after.has_fault}
            operations.move(tx, operation, to, **values)
        if is_new:
            data = {str(leg.side): executed_of(leg.side, intents) for leg in operation.plan}
            self.note(tx, operation, str(to), {**data, "failure": last.failure if last else ""})
        return after

    def given_back(self, tx: Tx, operation: Operation, intents: Sequence[Intent], *, is_there: bool) -> Operation:
        """The exchange confirms that nothing was done: it is active again. `is_there`: there is something left to close."""
        after = self._later(replace(operation, state=then(operation.state, Word.NOTHING)), intents)
        refused = [intent for intent in intents if is_refusal(intent.exchange_code)]
        if not operation.has_fault and is_there and (_was_refused(refused) or after.failures >= PATIENCE):
            title = meaning_of(refused[-1].exchange_code).title if refused else _NOTHING
            self._report(tx, operation, title, intents)
            after = replace(after, has_fault=True)
        values: dict[str, Any] = {"failures": after.failures, "retry_at": after.retry_at, "has_fault": after.has_fault}
        if not is_there:
            values["wanted"] = None
        operations.move(tx, operation, after.state, plan=None, reason=None, **values)
        failures = sorted({intent.failure for intent in intents if intent.failure})
        self.note(tx, operation, "nothing_done", {"failures": failures})
        return after

    def closed(self, tx: Tx, operation: Operation, trade: Trade) -> None:
        if operation.has_fault:
            self._host.end_fault(tx, fault_key(operation.id))
        self._host.end_fault(tx, leg_fault_key(operation.id))
        money = {name: getattr(trade, name) for name in ("gross", "fees", "funding", "net")}
        self.note(tx, operation, "closed", {"reason": str(trade.reason), **money})

    def is_late(self, tx: Tx, operation: Operation) -> None:
        """Both legs are closed, and the exchange does not tell of all their fills."""
        if not operation.has_fault and operations.move(tx, operation, operation.state, has_fault=True):
            self._report(tx, operation, _UNTOLD, (), runbook=_ASK_ON)

    def _later(self, operation: Operation, intents: Sequence[Intent]) -> Operation:
        """After a refusal the next try waits, longer each time; after an outage it is made at the next run."""
        failures = operation.failures + 1
        if not _was_refused(intents[-2:]):
            return replace(operation, failures=failures, retry_at=None)
        wait = min(timedelta(seconds=2.0 ** min(failures, 10)), LONGEST_WAIT)
        return replace(operation, failures=failures, retry_at=self._host.clock.now() + wait)

    def _report(
        self, tx: Tx, operation: Operation, title: str, intents: Sequence[Intent], *, runbook: str | None = None
    ) -> None:
        refused = [intent for intent in intents if is_refusal(intent.exchange_code)]
        code = refused[-1].exchange_code if refused else None
        failures = [f"{intent.side}: {intent.failure}" for intent in intents if intent.failure]
        meaning = [meaning_of(code).title] if code else []
        fault = FaultReport(
            key=fault_key(operation.id),
            title=title,
            name=f"{operation.name} ({operation.symbol})",
            reason=". ".join([*meaning, *failures[-2:]]),
            labels={"symbol": operation.symbol, "operation": operation.id},
            runbook=runbook or runbook_of(code),
        )
        self._host.report_fault(tx, fault)


def fault_key(operation_id: str) -> str:
    return f"operation:{operation_id}"


def leg_fault_key(operation_id: str) -> str:
    return f"leg:{operation_id}"


def _was_refused(intents: Sequence[Intent]) -> bool:
    return any(is_refusal(intent.exchange_code) and intent.state is IntentState.NOT_DONE for intent in intents)
