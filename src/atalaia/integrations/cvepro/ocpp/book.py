"""What a charge point tells, within a unit of work. Whatever is told again changes nothing and is answered as before."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from msgspec.structs import replace

from atalaia.integrations.cvepro.manifest import NAME
from atalaia.integrations.cvepro.model import transactions as model
from atalaia.integrations.cvepro.model.chargers import Charger, Status
from atalaia.integrations.cvepro.model.meters import Reading, told_at
from atalaia.integrations.cvepro.model.residents import tag_key
from atalaia.integrations.cvepro.model.sessions import Session
from atalaia.integrations.cvepro.model.stations import Boot, shown_once
from atalaia.integrations.cvepro.model.transactions import State, Tag, Transaction
from atalaia.integrations.cvepro.ocpp import idle
from atalaia.integrations.cvepro.ocpp.tags import judge_tag
from atalaia.integrations.cvepro.queries import sessions, stations, transactions
from atalaia.integrations.cvepro.queries.chargers import told_by_vendor
from atalaia.integrations.cvepro.service import incidents
from atalaia.integrations.cvepro.service.keeping import keep_sessions
from atalaia.integrations.cvepro.service.telling import Telling
from atalaia.sdk.integration import Host
from atalaia.sdk.transaction import Tx

TOPIC: Final = NAME
SESSIONS_TOPIC: Final = f"{NAME}_sessions"
_STEP: Final = timedelta(seconds=30)  # a session's figures go on in steps of so much, its readings as they come


class Book:
    def __init__(self, host: Host, telling: Telling | None = None) -> None:
        self._host = host
        self._telling = telling

    def boot(self, tx: Tx, box_id: str, told: Boot) -> None:
        stations.keep_boot(tx, box_id, told, now=self._host.clock.now())
        tx.publish(TOPIC)

    def status(self, tx: Tx, box_id: str, connector: int, *, status: str, error_code: str, at: str | None) -> None:
        now = self._host.clock.now()
        told = {"status": status, "error_code": error_code, "status_at": told_at(at, now=now)}
        quiet = {"power_w": None, "soc_percent": None} if status == Status.AVAILABLE else {}
        vendors = told_by_vendor(tx)
        before = stations.straight(tx, box_id)
        stations.keep_plug(tx, box_id, connector, **told, **quiet)
        after = stations.straight(tx, box_id)
        if self._telling is not None:
            self._telling.of_chargers(tx, _as_shown(vendors, before), _as_shown(vendors, after), now=now)
        for charger, _ in after.values():
            self._settle(tx, charger, now)
        tx.publish(TOPIC)

    def judge(self, tx: Tx) -> None:
        """Tell of those that are silent or out of order, where nobody else speaks for them."""
        now, vendors = self._host.clock.now(), told_by_vendor(tx)
        known = {each.box_id for each in vendors}
        found = stations.straight(tx)
        for box_id, (charger, is_connected) in found.items():
            if is_connected or box_id not in known:
                self._settle(tx, charger, now)
            else:
                self.end_faults(tx, box_id)
        if self._telling is not None:
            own = [each for each in shown_once(vendors, found) if each.is_straight]
            self._telling.of_chargers(tx, own, own, now=now)

    def end_faults(self, tx: Tx, box_id: str) -> None:
        incidents.settle(self._host, tx, _family(box_id), [], now=self._host.clock.now())

    def _settle(self, tx: Tx, charger: Charger, now: datetime) -> None:
        limit_s = float(self._host.setting("heartbeat_limit_s"))
        told = incidents.charger_faults([charger], now=now, limit_s=limit_s, prefix="straight-")
        incidents.settle(self._host, tx, _family(charger.key), told, now=now)

    def authorize(self, tx: Tx, tag: str) -> Tag:
        return judge_tag(tx, tag, at=self._host.clock.now())

    def start(self, tx: Tx, box_id: str, connector: int, *, tag: str, start_wh: int, at: str) -> tuple[int, Tag]:
        """The transaction's number, the same one whenever this start is told; what the tag is worth."""
        now = self._host.clock.now()
        started_at = told_at(at, now=now)
        told = Transaction(
            box_id=box_id, connector=connector, told_at=at, start_wh=start_wh, tag=tag, started_at=started_at
        )
        kept, is_new = transactions.add(tx, told)
        if tag_key(kept.tag) != tag_key(tag):  # by a clock that stands still: no start is told again with another tag
            kept, is_new = transactions.add(tx, replace(told, told_at=f"{at} {tag}"))
        if is_new:
            self._pass_over(tx, kept, now)
            self._keep(tx, model.begun(kept), now)
            self._publish(tx)
        return kept.number, self._worth(tx, kept)

    def stop(
        self,
        tx: Tx,
        box_id: str,
        number: int,
        *,
        stop_wh: int,
        at: str,
        reason: str | None,
        tag: str | None,
        found: Sequence[Reading],
    ) -> Tag | None:
        """What the tag is worth that it was stopped with."""
        now = self._host.clock.now()
        kept = transactions.find(tx, number, box_id=box_id)
        if kept is None:
            self._end_of_another(tx, box_id, number, stop_wh=stop_wh, at=at, reason=reason, tag=tag, found=found)
        elif kept.state is not State.ENDED:
            transactions.keep_readings(tx, number, found)
            stopped_at = max(told_at(at, now=now), kept.started_at)
            idle_s = idle.seconds_of(transactions.readings(tx, number), until=stopped_at)
            session = model.ended(kept, at=stopped_at, stop_wh=stop_wh, reason=reason, idle_s=idle_s)
            transactions.change(tx, number, state=str(State.ENDED))
            self._keep(tx, session, now)
            self._publish(tx)
        return judge_tag(tx, tag, at=now) if tag else None

    def measured(self, tx: Tx, box_id: str, connector: int, *, number: int | None, found: Sequence[Reading]) -> None:
        if not found:
            return
        last = found[-1]
        stations.keep_plug(
            tx, box_id, connector, power_w=last.power_w, soc_percent=last.soc_percent, measured_at=last.at
        )
        kept = self._measured_of(tx, box_id, connector, number)
        if kept is None:
            return
        transactions.keep_readings(tx, kept.number, [each for each in found if each.at >= kept.started_at])
        if kept.state is State.OPEN and (kept.measured_at is None or last.at - kept.measured_at >= _STEP):
            self._go_on(tx, kept, last)

    def _measured_of(self, tx: Tx, box_id: str, connector: int, number: int | None) -> Transaction | None:
        """Many charge points leave out which transaction it is of: then it is the one at the connector."""
        if number is not None:
            return transactions.find(tx, number, box_id=box_id)
        return next(iter(transactions.open_at(tx, box_id, connector)), None)

    def _go_on(self, tx: Tx, kept: Transaction, last: Reading) -> None:
        now = self._host.clock.now()
        since = idle.full_since(transactions.readings(tx, kept.number, since=last.at - idle.LOOK_BACK))
        transactions.change(tx, kept.number, measured_at=last.at, is_full=kept.is_full or since is not None)
        if last.energy_mwh is not None:
            sessions.keep_meter(tx, kept.session_id, last.energy_mwh, now=now)
        if since is not None and not kept.is_full and self._telling is not None:
            session = sessions.some(tx, [kept.session_id])[kept.session_id]
            self._telling.full(tx, session, since=since, now=now)
        tx.publish(TOPIC)

    def _pass_over(self, tx: Tx, new: Transaction, now: datetime) -> None:
        """What was under way at the connector is over, though its end has not been told: it comes late, or never."""
        for each in transactions.open_at(tx, new.box_id, new.connector):
            if each.number != new.number and each.started_at <= new.started_at:
                transactions.change(tx, each.number, state=str(State.PASSED))
                last = transactions.last_register(tx, each.number)
                self._keep(tx, model.passed(each, last, at=new.started_at), now)

    def _end_of_another(
        self,
        tx: Tx,
        box_id: str,
        number: int,
        *,
        stop_wh: int,
        at: str,
        reason: str | None,
        tag: str | None,
        found: Sequence[Reading],
    ) -> None:
        now = self._host.clock.now()
        stopped_at = told_at(at, now=now)
        told = Transaction(
            box_id=box_id,
            connector=0,
            told_at=f"end of {number}: {at}",
            start_wh=stop_wh,
            tag=tag or "",
            state=State.ENDED,
            started_at=stopped_at,
        )
        kept, is_new = transactions.add(tx, told)
        if is_new:
            first = next((each for each in found if each.energy_mwh is not None), None)
            session = model.begun_elsewhere(kept, first, at=stopped_at, stop_wh=stop_wh, reason=reason)
            self._keep(tx, session, now)
            self._publish(tx)

    def _worth(self, tx: Tx, kept: Transaction) -> Tag:
        found = judge_tag(tx, kept.tag, at=kept.started_at)
        if found is Tag.ACCEPTED and self._host.setting("ocpp_one_session_a_tag") and kept.state is State.OPEN:
            others = {tag_key(each) for each in transactions.open_tags(tx, before=kept.number)}
            if tag_key(kept.tag) in others:
                return Tag.CONCURRENT
        return found

    def _keep(self, tx: Tx, session: Session, now: datetime) -> None:
        keep_sessions(tx, [session], now=now, telling=self._telling)

    def _publish(self, tx: Tx) -> None:
        tx.publish(SESSIONS_TOPIC)
        tx.publish(TOPIC)


def _family(box_id: str) -> str:
    return f"station:{box_id}"


def _as_shown(vendors: Sequence[Charger], straight: Mapping[str, tuple[Charger, bool]]) -> list[Charger]:
    """Under the keys that they have on the board."""
    return [each for each in shown_once(vendors, straight) if each.box_id in straight]
