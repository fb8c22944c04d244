"""What a reading, or a charge point's word, means for residents: whose session began, is full, ended; which charger is free."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from atalaia.integrations.cvepro.model.chargers import Charger, Connector, Status
from atalaia.integrations.cvepro.model.feeds import CHARGERS
from atalaia.integrations.cvepro.model.notice_values import locale_of, person_values, session_values
from atalaia.integrations.cvepro.model.notices import Fate, NoticeKind, is_interrupted
from atalaia.integrations.cvepro.model.residents import Resident, tag_key
from atalaia.integrations.cvepro.model.sessions import Session
from atalaia.integrations.cvepro.model.transactions import number_of
from atalaia.integrations.cvepro.queries import chargers, residents, sessions
from atalaia.integrations.cvepro.queries import notices as queries
from atalaia.integrations.cvepro.queries.chargers import feed
from atalaia.integrations.cvepro.queries.twins import twin_of
from atalaia.integrations.cvepro.service.billing import session_cost, zone_of
from atalaia.integrations.cvepro.service.board import is_at, session_at
from atalaia.integrations.cvepro.service.notices import Notices, wants
from atalaia.sdk.integration import Host
from atalaia.sdk.transaction import Tx

_ENDS: Final = frozenset({NoticeKind.ENDED, NoticeKind.INTERRUPTED})


@dataclass(frozen=True, slots=True)
class Change:
    """`before`: none where it is new."""

    before: Session | None
    after: Session


class Telling:
    """Called in the transaction that keeps what is told of. Not by imports: what they bring is no news."""

    def __init__(self, host: Host, notices: Notices) -> None:
        self._host = host
        self._notices = notices

    def of_sessions(self, tx: Tx, changes: Iterable[Change], *, now: datetime) -> None:
        """New and changed ones, whoever told of them."""
        for change in changes:
            kind = _kind_of(change)
            if kind is not None and change.after.same_as is None:
                self._session(tx, kind, change.after, now=now)

    def of_chargers(self, tx: Tx, before: Sequence[Charger], after: Sequence[Charger], *, now: datetime) -> None:
        """As they were and are kept; those of `before` that are not in `after` say nothing."""
        self._full(tx, after, now=now)
        known = {each.key: each for each in before}
        for charger in after:
            freed = _freed(known.get(charger.key), charger)
            if freed is not None:
                self._free(tx, charger, freed, now=now)

    def full(self, tx: Tx, session: Session, *, since: datetime, now: datetime) -> None:
        """The car takes no power any more since then."""
        self._session(tx, NoticeKind.FULL, session, now=now, happened_at=since)

    def _session(
        self, tx: Tx, kind: NoticeKind, session: Session, *, now: datetime, happened_at: datetime | None = None
    ) -> None:
        resident = residents.holder_of(tx, session.tag, session.started_at or now)
        if resident is None:
            return
        if kind is NoticeKind.STARTED:
            queries.end_waits(tx, resident.id)  # who charges waits no more
        if not wants(resident, kind) or self._is_told_of_twin(tx, kind, session):
            return
        told_at = session.started_at if kind is NoticeKind.STARTED else session.stopped_at
        is_straight = number_of(session.id) is not None
        self._notices.tell(
            tx,
            kind,
            session.id,
            resident,
            happened_at=happened_at or _by_our_clock(tx, told_at, now, is_straight=is_straight),
            now=now,
            values=self._values(tx, session, resident, now=now),
        )

    def _is_told_of_twin(self, tx: Tx, kind: NoticeKind, session: Session) -> bool:
        """Of two who tell of the same charging either may be the first, and which of them counts may change."""
        twin = twin_of(tx, session)
        kinds = _ENDS if kind in _ENDS else {kind}
        return twin is not None and any(queries.is_claimed(tx, twin.id, each) for each in kinds)

    def _values(self, tx: Tx, session: Session, resident: Resident, *, now: datetime) -> Mapping[str, str]:
        zone = zone_of(self._host)
        price = None if session.is_active else session_cost(tx, session, zone)
        name = _charger_name(tx, session)
        return {
            **person_values(resident, charger=name, link=self._notices.link, connector=session.connector),
            **session_values(
                session,
                locale=locale_of(resident),
                zone=zone,
                now=now,
                cost_micros=price.cost_micros if price else None,
            ),
        }

    def _full(self, tx: Tx, found: Sequence[Charger], *, now: datetime) -> None:
        after = timedelta(seconds=float(self._host.setting("full_after_s")))
        idle = [
            (charger, plug, since)
            for charger in found
            for plug in charger.connectors
            if plug.status == Status.SUSPENDED_EV and now - (since := _status_at(tx, charger, plug, now)) >= after
        ]
        if not idle:
            return
        under_way = sessions.active(tx)
        for charger, plug, since in idle:
            own = [each for each in under_way if is_at(each, charger)]
            session = session_at(plug, own, is_only=len(charger.connectors) == 1)
            if session is None:
                continue
            # A status from before it began is the last car's.
            began_at = _began_at(tx, session, now)
            full_at = since if began_at is None else max(since, began_at)
            if now - full_at >= after:
                self.full(tx, session, since=full_at, now=now)

    def _free(self, tx: Tx, charger: Charger, plug: Connector, *, now: datetime) -> None:
        """The first of those who wait and can be told; only one, since only one can have it."""
        since = _status_at(tx, charger, plug, now)
        for resident in queries.waiting(tx, charger.key):
            if not wants(resident, NoticeKind.CHARGER_FREE):
                continue
            fate = self._notices.tell(
                tx,
                NoticeKind.CHARGER_FREE,
                f"free:{charger.key}:{plug.number or ''}:{since:%Y%m%dT%H%M%S}:{resident.id}",
                resident,
                happened_at=now,  # that it is free is so now, however late it is heard of
                now=now,
                values=person_values(resident, charger=charger.name, link=self._notices.link, connector=plug.number),
            )
            if fate is Fate.QUEUED:
                queries.end_waits(tx, resident.id)
            if fate is not Fate.NOT_THERE:
                return


def _kind_of(change: Change) -> NoticeKind | None:
    """A tag may come to be known only on the way, or at the end: then it is news to whom it belongs."""
    before, after = change.before, change.after
    is_known_now = before is None or tag_key(before.tag) != tag_key(after.tag)
    if after.is_active:
        return NoticeKind.STARTED if is_known_now else None
    if before is not None and not before.is_active and not is_known_now:
        return None
    return NoticeKind.INTERRUPTED if is_interrupted(after.stop_reason, after.stop_actor) else NoticeKind.ENDED


def _freed(before: Charger | None, after: Charger) -> Connector | None:
    """The first that was taken, or out of order, and is free now."""
    was = {plug.number: plug.status for plug in before.connectors} if before else {}
    for plug in after.connectors:
        former = was.get(plug.number)
        if plug.status == Status.AVAILABLE and former is not None and former != Status.AVAILABLE:
            return plug
    return None


def _charger_name(tx: Tx, session: Session) -> str:
    charger = next((each for each in chargers.all_of_them(tx) if is_at(session, each)), None)
    return charger.name if charger else session.box_id or session.charger_uuid or "?"


def _status_at(tx: Tx, charger: Charger, plug: Connector, now: datetime) -> datetime:
    return _by_our_clock(tx, plug.status_at, now, is_straight=charger.is_straight)


def _began_at(tx: Tx, session: Session, now: datetime) -> datetime | None:
    is_straight = number_of(session.id) is not None
    return _by_our_clock(tx, session.started_at, now, is_straight=is_straight) if session.started_at else None


def _by_our_clock(tx: Tx, at: datetime | None, now: datetime, *, is_straight: bool) -> datetime:
    """The vendor's clock may differ from ours. Never later than now."""
    if at is None:
        return now
    offset_s = 0.0 if is_straight else feed(tx, CHARGERS).clock_offset_s or 0.0
    return min(now, at - timedelta(seconds=offset_s))
