"""One reading of a list: asked, translated, and kept with how the reading stands; what it means is told in the same commit."""

from datetime import datetime, timedelta
from typing import Final

from atalaia.core.errors import AtalaiaError
from atalaia.core.redaction import scrub
from atalaia.core.translations import N_
from atalaia.integrations.cvepro.cloud.client import Cloud, ShapeChanged
from atalaia.integrations.cvepro.cloud.translate import (
    CHARGERS_COUNT,
    SESSIONS_COUNT,
    ChargersRead,
    read_chargers,
    read_sessions,
)
from atalaia.integrations.cvepro.manifest import NAME
from atalaia.integrations.cvepro.model.chargers import Charger
from atalaia.integrations.cvepro.model.feeds import CHARGERS, SESSIONS, Feed
from atalaia.integrations.cvepro.model.fields import Notes
from atalaia.integrations.cvepro.queries import chargers as kept_chargers
from atalaia.integrations.cvepro.queries import sessions as kept_sessions
from atalaia.integrations.cvepro.queries.chargers import Unread, feed, keep_feed, keep_unread
from atalaia.integrations.cvepro.queries.stations import straight
from atalaia.integrations.cvepro.service import incidents
from atalaia.integrations.cvepro.service.keeping import keep_chargers, keep_sessions
from atalaia.integrations.cvepro.service.telling import Telling
from atalaia.sdk.failures import BadPayload, TemporaryFailure
from atalaia.sdk.integration import Host
from atalaia.sdk.transaction import Tx

TOPIC: Final = NAME
SESSIONS_TOPIC: Final = f"{NAME}_sessions"
_LATE: Final = timedelta(days=2)  # a session may come to the list so much later than it began
_LONGEST: Final = timedelta(days=35)  # and be under way for no longer, else nobody ends it


class Reading:
    def __init__(self, host: Host, cloud: Cloud, telling: Telling | None = None) -> None:
        self._host = host
        self._cloud = cloud
        self._telling = telling

    async def chargers(self) -> Feed:
        """How it stands now. Raises: AtalaiaError: it failed; say so with `failed`."""
        listed = await self._cloud.chargers()
        now = self._host.clock.now()
        read = read_chargers(listed.items, zone=self._cloud.zone)
        if listed.missing:
            read.notes.note_cut(CHARGERS_COUNT)
        offset_s = _offset_s(listed.clock_at, now)

        def unit(tx: Tx) -> Feed:
            if not read.chargers and kept_chargers.told_by_vendor(tx):
                raise BadPayload(N_("The list of chargers came empty."))
            found = keep_chargers(tx, read.chargers, now=now, telling=self._telling)
            well = feed(tx, CHARGERS).went_well(at=now, clock_offset_s=offset_s)
            keep_feed(tx, well)
            self._tell(tx, read, found, now=now, cloud_now=listed.clock_at or now)
            tx.publish(TOPIC)
            return well

        return await self._host.write(unit)

    async def sessions(self) -> Feed:
        """Those of the last days, and from the oldest on that is still under way. Raises: as `chargers`."""
        now = self._host.clock.now()
        first = (await self._host.read(lambda tx: _oldest(tx, now))).astimezone(self._cloud.zone).date()
        listed = await self._cloud.sessions(first, now.astimezone(self._cloud.zone).date() + timedelta(days=1))
        read = read_sessions(listed.items, zone=self._cloud.zone)
        if listed.missing:
            read.notes.note_cut(SESSIONS_COUNT)

        def unit(tx: Tx) -> Feed:
            changed = keep_sessions(tx, read.sessions, now=now, telling=self._telling)
            well = feed(tx, SESSIONS).went_well(at=now, clock_offset_s=None)
            keep_feed(tx, well)
            incidents.settle(self._host, tx, f"feed:{SESSIONS}", [], now=now)
            self._tell_shape(tx, SESSIONS, read.notes, now=now)
            if changed:
                tx.publish(SESSIONS_TOPIC)
                tx.publish(TOPIC)
            return well

        return await self._host.write(unit)

    async def went_well(self, name: str) -> Feed:
        """Of what has nothing to be kept but that it is well."""
        now = self._host.clock.now()

        def unit(tx: Tx) -> Feed:
            well = feed(tx, name).went_well(at=now, clock_offset_s=None)
            keep_feed(tx, well)
            incidents.settle(self._host, tx, f"feed:{name}", [], now=now)
            tx.publish(TOPIC)
            return well

        return await self._host.write(unit)

    async def failed(self, name: str, error: AtalaiaError, *, since: datetime | None = None) -> Feed:
        """How it stands now; from the first failure on the data is stale. `since`: when the reading that failed began."""
        now = self._host.clock.now()

        def unit(tx: Tx) -> Feed:
            known = feed(tx, name)
            # That nobody was asked says less than why nobody is.
            words = known.error if known.error and was_not_asked(error) else scrub(str(error))
            found = known.failed(words, at=now, since=since)
            keep_feed(tx, found)
            if isinstance(error, ShapeChanged):
                incidents.settle(self._host, tx, f"shape:{name}", incidents.shapes([error.path]), now=now)
            tx.publish(TOPIC)
            return found

        return await self._host.write(unit)

    async def judge(self, name: str) -> None:
        """Tell of a list that has failed for long enough, whether or not it is being asked just now."""
        now = self._host.clock.now()
        after_s = float(self._host.setting("alert_after_s"))

        def unit(tx: Tx) -> None:
            found = feed(tx, name)
            if found.is_outage(now=now, after_s=after_s):
                incidents.settle(self._host, tx, f"feed:{name}", [incidents.outage(found)], now=now)

        await self._host.write(unit)

    def _tell(self, tx: Tx, read: ChargersRead, found: list[Charger], *, now: datetime, cloud_now: datetime) -> None:
        limit_s = float(self._host.setting("heartbeat_limit_s"))
        # One that is connected to us says itself how it is.
        own = {box_id for box_id, (_, is_connected) in straight(tx).items() if is_connected}
        vendors = [each for each in found if each.box_id not in own]
        told = incidents.charger_faults(vendors, now=cloud_now, limit_s=limit_s)
        incidents.settle(self._host, tx, "charger", told, now=now)
        incidents.settle(self._host, tx, f"feed:{CHARGERS}", [], now=now)
        self._tell_shape(tx, CHARGERS, read.notes, now=now, strange=dict(read.strange))

    def _tell_shape(
        self, tx: Tx, name: str, notes: Notes, *, now: datetime, strange: dict[str, int] | None = None
    ) -> None:
        expected = set(self._host.setting("absent_fields"))
        changed = [path for path in notes.changed_paths() if path not in expected]
        incidents.settle(self._host, tx, f"shape:{name}", incidents.shapes(changed), now=now)
        unread = [path for path in notes.unread() if path not in expected]
        keep_unread(tx, name, Unread(unread, strange or {}))


def _oldest(tx: Tx, now: datetime) -> datetime:
    starts = [each.started_at for each in kept_sessions.active(tx) if each.started_at is not None]
    return min([now - _LATE, *(at for at in starts if at > now - _LONGEST)])


def _offset_s(clock_at: datetime | None, now: datetime) -> float | None:
    return None if clock_at is None else round((clock_at - now).total_seconds(), 1)


def was_not_asked(error: AtalaiaError) -> bool:
    """The breaker or the login rests after failures."""
    return isinstance(error, TemporaryFailure) and bool(error.retry_after_s) and not error.may_have_arrived
