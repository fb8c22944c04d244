"""One reading of a list that an account may offer besides: its tags, its sessions under way."""

from typing import Final

from atalaia.core.redaction import scrub
from atalaia.integrations.cvepro.cloud.client import Cloud
from atalaia.integrations.cvepro.cloud.reading import SESSIONS_TOPIC, TOPIC
from atalaia.integrations.cvepro.cloud.translate_offered import NEEDED, read_active, read_tags
from atalaia.integrations.cvepro.manifest import NAME
from atalaia.integrations.cvepro.model.feeds import ACTIVE, TAGS, Feed
from atalaia.integrations.cvepro.model.fields import Notes
from atalaia.integrations.cvepro.queries import cloud_tags
from atalaia.integrations.cvepro.queries.chargers import Unread, feed, forget_feed, keep_feed, keep_unread
from atalaia.integrations.cvepro.service import incidents
from atalaia.integrations.cvepro.service.keeping import keep_sessions
from atalaia.integrations.cvepro.service.telling import Telling
from atalaia.sdk.failures import PermanentFailure
from atalaia.sdk.integration import Host
from atalaia.sdk.transaction import Tx

TAGS_TOPIC: Final = f"{NAME}_tags"
_NOT_THERE: Final = frozenset({400, 403, 404, 405, 410, 501})


class Offered:
    def __init__(self, host: Host, cloud: Cloud, telling: Telling | None = None) -> None:
        self._host = host
        self._cloud = cloud
        self._telling = telling

    async def tags(self) -> Feed:
        """How it stands now. Raises: AtalaiaError: it failed."""
        listed = await self._cloud.offered(TAGS, self._host.setting("tags_path"))
        now = self._host.clock.now()
        read = read_tags(listed.items)

        def unit(tx: Tx) -> Feed:
            if cloud_tags.keep(tx, read.tags, now=now):
                tx.publish(TAGS_TOPIC)
            return self._went_well(tx, TAGS, read.notes)

        return await self._host.write(unit)

    async def active(self) -> Feed:
        """What the sessions' list will say too, and sooner; an end is told there alone. Raises: as `tags`."""
        listed = await self._cloud.offered(ACTIVE, self._host.setting("active_path"))
        now = self._host.clock.now()
        read = read_active(listed.items, zone=self._cloud.zone)

        def unit(tx: Tx) -> Feed:
            if keep_sessions(tx, read.sessions, now=now, telling=self._telling):
                tx.publish(SESSIONS_TOPIC)
                tx.publish(TOPIC)
            return self._went_well(tx, ACTIVE, read.notes)

        return await self._host.write(unit)

    async def refused(self, name: str, error: PermanentFailure) -> Feed:
        """The account has no such list: said on the page, and no incident."""
        now = self._host.clock.now()

        def unit(tx: Tx) -> Feed:
            found = feed(tx, name).refused(scrub(str(error)), at=now)
            keep_feed(tx, found)
            tx.publish(TOPIC)
            return found

        return await self._host.write(unit)

    async def forget(self, name: str) -> Feed:
        """Nobody asks for it any more."""
        now = self._host.clock.now()

        def unit(tx: Tx) -> Feed:
            forget_feed(tx, name)
            for family in ("feed", "shape"):
                incidents.settle(self._host, tx, f"{family}:{name}", [], now=now)
            if name == TAGS:
                cloud_tags.keep(tx, [], now=now)
            tx.publish(TOPIC)
            return Feed(name=name)

        return await self._host.write(unit)

    def _went_well(self, tx: Tx, name: str, told: Notes) -> Feed:
        now = self._host.clock.now()
        well = feed(tx, name).went_well(at=now, clock_offset_s=None)
        keep_feed(tx, well)
        incidents.settle(self._host, tx, f"feed:{name}", [], now=now)
        expected = set(self._host.setting("absent_fields"))
        changed = [path for path in told.changed_paths() if path in NEEDED and path not in expected]
        incidents.settle(self._host, tx, f"shape:{name}", incidents.shapes(changed), now=now)
        keep_unread(tx, name, Unread([path for path in told.unread() if path not in expected], {}))
        return well


def is_not_offered(standing: Feed | None, error: Exception) -> bool:
    """It has never been read, and the cloud says that there is no such thing, or not for this account."""
    has_worked = standing is not None and standing.good_at is not None
    return not has_worked and isinstance(error, PermanentFailure) and error.params.get("status") in _NOT_THERE
