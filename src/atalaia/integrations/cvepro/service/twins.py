"""The same charging, told by the vendor's cloud and by the charger itself: found, counted once, and parted where a person says so."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from msgspec.structs import replace

from atalaia.core.errors import NotFound
from atalaia.core.permissions import Principal
from atalaia.core.translations import N_
from atalaia.integrations.cvepro.model.chargers import Charger
from atalaia.integrations.cvepro.model.sessions import Session
from atalaia.integrations.cvepro.model.twins import distance, is_same, is_straight, joined, parted
from atalaia.integrations.cvepro.queries import chargers, sessions, twins
from atalaia.integrations.cvepro.queries.turns import hold_sessions
from atalaia.sdk.integration import Host
from atalaia.sdk.transaction import Tx

SESSIONS_TOPIC = "cvepro_sessions"


def settle(tx: Tx, found: Iterable[Session], *, known: Sequence[Charger], now: datetime) -> dict[str, Session]:
    """Look at sessions that are new or other than before; those that changed by it, as they are kept now."""
    looked_at = list(found)
    boxes = twins.straight_boxes(tx) if looked_at else set()
    pairing = _Pairing(tx, known, now)
    for each in looked_at:
        box_id = each.box_id or pairing.box_of(each.charger_uuid)
        if box_id in boxes:
            pairing.settle(each.id, box_id)
    return pairing.changed


class _Pairing:
    def __init__(self, tx: Tx, known: Sequence[Charger], now: datetime) -> None:
        self._tx = tx
        self._now = now
        self._boxes = {each.uuid: each.box_id for each in known if each.uuid and each.box_id}
        self._single = {each.box_id for each in known if len(each.connectors) == 1}
        self.changed: dict[str, Session] = {}

    def box_of(self, uuid: str | None) -> str:
        return self._boxes.get(uuid or "", "")

    def settle(self, id: str, box_id: str) -> None:
        one = sessions.some(self._tx, [id])[id]
        if one.apart_by is not None:
            return
        other = twins.twin_of(self._tx, one)
        if other is not None and not self._is_same(one, other, box_id):
            self.part(one, other)
            one, other = parted(one), None
        other = other or self._other(one, box_id)
        if other is not None:
            self._join(one, other)

    def part(self, one: Session, other: Session, *, by: str | None = None) -> None:
        """`by`: who says so; it is kept with the vendor's."""
        for each in (one, other):
            after = parted(each)
            self._keep(each, after if by is None or is_straight(each) else replace(after, apart_by=by))

    def _other(self, one: Session, box_id: str) -> Session | None:
        uuids = [uuid for uuid, known in self._boxes.items() if known == box_id]
        found = twins.candidates(self._tx, one, box_id=box_id, uuids=uuids)
        same = [each for each in found if self._is_same(one, each, box_id)]
        return min(same, key=lambda each: (*distance(one, each), each.id), default=None)

    def _join(self, one: Session, other: Session) -> None:
        straight, vendors = (one, other) if is_straight(one) else (other, one)
        for before, after in zip((straight, vendors), joined(straight, vendors), strict=True):
            self._keep(before, after)

    def _keep(self, before: Session, after: Session) -> None:
        if after != before:
            sessions.change(self._tx, after, now=self._now)
            self.changed[after.id] = after

    def _is_same(self, one: Session, other: Session, box_id: str) -> bool:
        return is_same(one, other, is_only_connector=box_id in self._single)


class Twins:
    """What people say of it."""

    def __init__(self, host: Host) -> None:
        self._host = host

    async def part(self, id: str, *, by: Principal, client: str | None) -> None:
        """They are two: both count, and nothing joins them again. Raises: NotFound."""

        def unit(tx: Tx) -> None:
            one = self._find(tx, id)
            other = twins.twin_of(tx, one)
            if other is None:
                raise NotFound(N_("Nobody else tells of this session."))
            pairing = _Pairing(tx, (), self._host.clock.now())
            pairing.part(one, other, by=by.name)
            self._note(tx, "cvepro.session_parted", id, by=by, client=client, other=other.id)

        await self._host.write(unit)

    async def join(self, id: str, *, by: Principal, client: str | None) -> None:
        """They may be one after all. Raises: NotFound: nobody said that it is by itself."""

        def unit(tx: Tx) -> None:
            one = self._find(tx, id)
            if one.apart_by is None:
                raise NotFound(N_("Nobody said that this session is by itself."))
            now = self._host.clock.now()
            again = replace(one, apart_by=None)
            sessions.change(tx, again, now=now)
            settle(tx, [again], known=chargers.all_of_them(tx), now=now)
            self._note(tx, "cvepro.session_joined", id, by=by, client=client)

        await self._host.write(unit)

    def _find(self, tx: Tx, id: str) -> Session:
        """Raises: NotFound."""
        hold_sessions(tx)
        found = sessions.some(tx, [id]).get(id) if id.isprintable() else None
        if found is None:
            raise NotFound(N_("There is no such session."))
        return found

    def _note(self, tx: Tx, action: str, id: str, *, by: Principal, client: str | None, **details: str) -> None:
        self._host.audit(tx, by=by, action=action, target=id, client=client, **details)
        tx.publish(SESSIONS_TOPIC)
        tx.publish("cvepro")
