"""An agent that falls silent: an incident of its own, its checks unknown, and what the hub had given to it moves on."""

from atalaia.core.clock import from_ms
from atalaia.sdk.transaction import Tx
from atalaia.watch.model.incidents import Cause
from atalaia.watch.model.observations import Silent
from atalaia.watch.queries import checks as queries
from atalaia.watch.service.checks import CheckBook
from atalaia.watch.service.deciding import Decider, Seen
from atalaia.watch.service.incidents import Fault, Incidents


class FleetWatch:
    def __init__(self, *, book: CheckBook, decider: Decider, incidents: Incidents) -> None:
        self._book = book
        self._decider = decider
        self._incidents = incidents

    def silent(self, tx: Tx, agent_id: str, *, name: str, at_ms: int) -> None:
        fault = Fault(subject=_subject(agent_id), name=name, cause=Cause.SILENT, labels={"agent": name})
        self._incidents.open_fault(tx, fault, at=from_ms(at_ms))
        self._silence_checks(tx, agent_id, at_ms)

    def back(self, tx: Tx, agent_id: str, *, at_ms: int) -> None:
        """Its checks become known again with their first results."""
        self._incidents.end_fault(tx, _subject(agent_id), at=from_ms(at_ms))
        self._book.place_orphans(tx)

    def retired(self, tx: Tx, agent_id: str, *, at_ms: int) -> None:
        self._incidents.end_fault(tx, _subject(agent_id), at=from_ms(at_ms))
        self._silence_checks(tx, agent_id, at_ms)

    def _silence_checks(self, tx: Tx, agent_id: str, at_ms: int) -> None:
        mine = queries.of_agent(tx, agent_id)
        seen = [Seen(check_id, Silent(place=agent_id, at_ms=at_ms)) for check_id, _ in mine]
        self._decider.take(tx, seen, now_ms=at_ms)
        for check_id, is_picked in mine:
            if is_picked:
                self._book.move(tx, check_id, avoid=agent_id, now=from_ms(at_ms))


def _subject(agent_id: str) -> str:
    return f"agent:{agent_id}"
