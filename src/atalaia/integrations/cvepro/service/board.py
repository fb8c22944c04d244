"""What the dashboard shows: chargers as they were last read, who charges there, and how old that is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from atalaia.integrations.cvepro.model.chargers import Charger, Connector
from atalaia.integrations.cvepro.model.feeds import ACTIVE, CHARGERS, LIVE, SESSIONS, TAGS, Feed
from atalaia.integrations.cvepro.model.sessions import Session
from atalaia.integrations.cvepro.queries import chargers, sessions, stations
from atalaia.integrations.cvepro.queries.chargers import Unread, feed, unread
from atalaia.integrations.cvepro.queries.residents import Holder, holders
from atalaia.sdk.integration import Host
from atalaia.sdk.transaction import Tx


@dataclass(frozen=True, slots=True)
class Plug:
    """A connector, with the session that is under way there, and whose it is by its tag."""

    connector: Connector
    session: Session | None = None
    holder: Holder | None = None

    @property
    def user_name(self) -> str | None:
        """The resident by tag, else as the vendor names who charges."""
        if self.holder is not None:
            return self.holder.name
        return self.connector.user_name or (self.session.user_name if self.session else None)

    @property
    def flat(self) -> str | None:
        if self.holder is not None:
            return self.holder.flat
        return self.session.flat if self.session else None

    @property
    def since(self) -> datetime | None:
        return self.session.started_at if self.session else None


@dataclass(frozen=True, slots=True)
class Shown:
    charger: Charger
    plugs: Sequence[Plug]
    is_silent: bool = False

    @property
    def user_name(self) -> str | None:
        return next((name for plug in self.plugs if (name := plug.user_name)), None)


@dataclass(frozen=True, slots=True)
class Seen:
    """`unread`: what of the last good reading could not be understood, other lists' paths too.

    `live` is the connection beside the polling; `refused` are lists that the account does not offer.
    """

    feed: Feed
    shown: Sequence[Shown]
    unread: Unread
    live: Feed
    refused: Sequence[Feed] = ()
    has_stations: bool = False  # chargers that connect straight


class Board:
    def __init__(self, host: Host) -> None:
        self._host = host

    async def look(self) -> Seen:
        limit_s = float(self._host.setting("heartbeat_limit_s"))

        def unit(tx: Tx) -> Seen:
            standing = feed(tx, CHARGERS)
            active = sessions.active(tx)
            held = holders(tx, [each.id for each in active])
            judge = Judge(standing, self._host.clock.now(), limit_s)
            found = [_shown(each, active, held, judge) for each in chargers.all_of_them(tx)]
            own = unread(tx, CHARGERS)
            paths = [path for name in (CHARGERS, SESSIONS, ACTIVE, TAGS) for path in unread(tx, name).paths]
            refused = [each for each in (feed(tx, ACTIVE), feed(tx, TAGS)) if each.is_refused]
            direct = stations.has_any(tx)
            return Seen(standing, found, Unread(paths, own.strange), feed(tx, LIVE), refused, has_stations=direct)

        return await self._host.read(unit)

    async def feed(self) -> Feed:
        return await self._host.read(lambda tx: feed(tx, CHARGERS))


@dataclass(frozen=True, slots=True)
class Judge:
    """Who is silent: those that the vendor tells of by how old the data is, those that connect straight by our clock."""

    standing: Feed
    now: datetime
    limit_s: float

    def is_silent(self, charger: Charger) -> bool:
        if charger.is_straight:
            return charger.is_silent(now=self.now, limit_s=self.limit_s)
        # While nothing can be read, nobody falls silent. By the cloud's own clock, as the heartbeats.
        read_at, offset_s = self.standing.good_at, self.standing.clock_offset_s or 0.0
        return read_at is not None and charger.is_silent(now=read_at, limit_s=self.limit_s - offset_s)


def _shown(charger: Charger, active: Sequence[Session], held: Mapping[str, Holder], judge: Judge) -> Shown:
    own = [each for each in active if is_at(each, charger)]
    plugs = []
    for each in charger.connectors:
        session = session_at(each, own, is_only=len(charger.connectors) == 1)
        plugs.append(Plug(each, session, held.get(session.id) if session else None))
    return Shown(charger, plugs, judge.is_silent(charger))


def is_at(session: Session, charger: Charger) -> bool:
    if session.box_id is not None and charger.box_id is not None:
        return session.box_id == charger.box_id
    return session.charger_uuid is not None and session.charger_uuid == charger.uuid


def session_at(connector: Connector, own: Sequence[Session], *, is_only: bool) -> Session | None:
    """The newest there; with one connector whatever the session calls it."""
    return next((each for each in own if is_only or each.connector == connector.number), None)
