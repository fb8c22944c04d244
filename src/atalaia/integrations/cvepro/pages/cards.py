"""A charger as its card shows it; the line to the cloud as the banner does."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

from atalaia.integrations.cvepro.model.feeds import Line
from atalaia.integrations.cvepro.pages.words import GROUPS, LINES, OFFERED, SILENT, SPEEDS, STATUS, UNSAID, WAYS
from atalaia.integrations.cvepro.service.board import Plug, Seen, Shown

_GROUP_OF: Final = {"up": "free", "maintenance": "charging", "paused": "idle", "degraded": "trouble", "down": "trouble"}
_W: Final = 1000
_LONGEST_WORD: Final = 24  # of the vendor's own, on a badge
_MWH_PER_KWH: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PlugCard:
    """`word` is a key of the translations where `is_known`, else the vendor's own."""

    number: str | None
    state: str
    word: str
    is_known: bool
    error_code: str | None
    power_max_kw: float | None
    power_kw: float | None
    type: str | None
    current: str | None
    speed: str | None
    user_name: str | None
    flat: str | None
    since: datetime | None
    energy_kwh: float | None
    soc_percent: float | None
    is_in_use: bool
    session_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    key: str
    href: str
    name: str
    box_id: str | None
    state: str
    word: str
    is_known: bool
    group: str
    heartbeat_at: datetime | None
    plugs: Sequence[PlugCard]

    @property
    def rank(self) -> tuple[int, str]:
        return list(GROUPS).index(self.group), self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class LineShown:
    """`since` where it is offline; `good_at` is how old the data is; `how` news comes, where it is online."""

    state: str
    word: str
    how: str | None
    since: datetime | None
    good_at: datetime | None
    error: str | None


def card_of(shown: Shown, *, names: bool) -> Card:
    charger = shown.charger
    plugs = [_plug(each, names=names) for each in shown.plugs]
    state, word, is_known = (*SILENT, True) if shown.is_silent else _state(charger.status)
    return Card(
        key=charger.key,
        href=f"/cvepro/chargers/{quote(charger.key, safe='')}",
        name=charger.name,
        box_id=charger.box_id,
        state=state,
        word=word,
        is_known=is_known,
        group=_GROUP_OF.get(state, "other"),
        heartbeat_at=charger.heartbeat_at,
        plugs=plugs,
    )


def line_of(seen: Seen) -> LineShown:
    feed = seen.feed
    state, word = LINES[feed.line]
    since = feed.failing_since if feed.line is Line.OFFLINE else None
    how = WAYS[seen.live.is_well] if feed.line is Line.ONLINE else None
    return LineShown(state=state, word=word, how=how, since=since, good_at=feed.good_at, error=feed.error)


def counts_of(cards: Sequence[Card]) -> list[tuple[str, str, str, int]]:
    """Group, badge, word and how many; none of zero."""
    counts = {group: sum(card.group == group for card in cards) for group in GROUPS}
    return [(group, *GROUPS[group], count) for group, count in counts.items() if count]


def kwh(mwh: int | None) -> float | None:
    return None if mwh is None else mwh / _MWH_PER_KWH


def _plug(plug: Plug, *, names: bool) -> PlugCard:
    one, session = plug.connector, plug.session
    state, word, is_known = _state(one.status)
    is_in_use = state in {"maintenance", "paused"} or session is not None
    return PlugCard(
        number=one.number,
        state=state,
        word=word,
        is_known=is_known,
        error_code=one.error_code if one.error_code != "NoError" else None,
        power_max_kw=one.power_max_w / _W if one.power_max_w is not None else None,
        power_kw=one.power_w / _W if one.power_w is not None and is_in_use else None,
        type=one.type,
        current=one.current,
        speed=SPEEDS.get(one.speed or "", one.speed),
        user_name=plug.user_name if names else None,
        flat=plug.flat if names else None,
        since=plug.since or (one.status_at if is_in_use else None),
        energy_kwh=kwh(session.so_far_mwh) if session else None,
        soc_percent=one.soc_percent,
        is_in_use=is_in_use,
        session_id=session.id if session else None,
    )


def _state(status: str | None) -> tuple[str, str, bool]:
    if status is None:
        return (*UNSAID, True)
    state, word = STATUS.get(status, ("unknown", status[:_LONGEST_WORD]))
    return state, word, status in STATUS


def banner_values(seen: Seen, *, is_configured: bool) -> dict[str, Any]:
    return {
        "line": line_of(seen),
        "is_configured": is_configured,
        "is_alone": seen.has_stations and not is_configured,
        "offset_s": seen.feed.clock_offset_s,
        "unread": seen.unread.paths,
        "strange": seen.unread.strange,
        "refused": [(OFFERED[each.name], each.error) for each in seen.refused],
    }
