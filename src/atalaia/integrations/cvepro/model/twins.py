"""Whether the vendor's cloud and a charger itself tell of the same charging, and which of the two counts. Pure.

A charger may report to both. Its session is then kept twice, as each tells it, and counted once: the other one is set aside
(`Session.same_as`).
"""

from datetime import datetime, timedelta
from typing import Final

from msgspec.structs import replace

from atalaia.integrations.cvepro.model.residents import tag_key
from atalaia.integrations.cvepro.model.sessions import Doubt, Session, is_apart_from
from atalaia.integrations.cvepro.model.transactions import number_of

# Both pass on the charger's own time; the vendor's cloud may put its own in place, and clocks differ.
NEAR: Final = timedelta(minutes=5)
_NEAR_OF_OTHERS: Final = timedelta(minutes=1)  # where each names another tag
_SLACK: Final = timedelta(seconds=30)
_SAME_METER_MWH: Final = 10_000
# What only the vendor tells, and is shown with the charger's own session.
_LENT: Final = ("cost_micros", "user_name", "flat", "charger_uuid", "tag_pk")


def is_straight(session: Session) -> bool:
    """Told by the charger itself."""
    return number_of(session.id) is not None


def is_same(one: Session, other: Session, *, is_only_connector: bool) -> bool:
    """Of two at one charger, told by two: at one connector, begun at about one time, and there at one time."""
    if is_straight(one) == is_straight(other):
        return False
    if not (is_only_connector or None in {one.connector, other.connector} or one.connector == other.connector):
        return False
    if one.started_at is None or other.started_at is None:
        return _ends_agree(one, other)
    near = NEAR if _tags_agree(one, other) else _NEAR_OF_OTHERS
    return abs(one.started_at - other.started_at) <= near and _overlap(one, other)


def _ends_agree(one: Session, other: Session) -> bool:
    """Where a beginning was lost."""
    if one.stopped_at is None or other.stopped_at is None or not _tags_agree(one, other):
        return False
    return abs(one.stopped_at - other.stopped_at) <= NEAR


def _tags_agree(one: Session, other: Session) -> bool:
    keys = {tag_key(one.tag), tag_key(other.tag)}
    return len(keys) == 1 or None in keys


def _overlap(one: Session, other: Session) -> bool:
    def is_over_before(first: Session, second: Session) -> bool:
        ended_at, began_at = first.stopped_at, second.started_at
        return ended_at is not None and began_at is not None and ended_at + _SLACK < began_at

    return not is_over_before(one, other) and not is_over_before(other, one)


def distance(one: Session, other: Session) -> tuple[bool, timedelta]:
    """How unlike two are that may be the same: the meter's count at the start tells more than clocks do."""
    is_other_meter = (
        one.start_mwh is None or other.start_mwh is None or abs(one.start_mwh - other.start_mwh) > _SAME_METER_MWH
    )
    at, other_at = one.started_at or one.stopped_at, other.started_at or other.stopped_at
    return is_other_meter, abs(at - other_at) if at and other_at else NEAR


def counting(straight: Session, vendors: Session) -> Session:
    """The charger's own: its meter and its clock, nothing in between. Unless the vendor alone knows how it went."""
    return vendors if _is_whole(vendors) and not (_is_whole(straight) and straight.stop_reason) else straight


def _is_whole(session: Session) -> bool:
    return None not in {session.started_at, session.stopped_at, session.energy_mwh}


def joined(straight: Session, vendors: Session) -> tuple[Session, Session]:
    """The charger's own and the vendor's, as they are kept: one counts, the other is set aside."""
    is_vendors = counting(straight, vendors) is vendors
    lent = {name: value for name in _LENT if (value := getattr(vendors, name)) is not None}
    straight = replace(straight, **lent, same_as=vendors.id if is_vendors else None)
    vendors = replace(vendors, same_as=None if is_vendors else straight.id)
    differs = _differ(straight, vendors)
    return _marked(straight, differs=differs), _marked(vendors, differs=differs)


def parted(session: Session) -> Session:
    """By itself again."""
    own = dict.fromkeys(_LENT) if is_straight(session) else {}
    return _marked(replace(session, **own, same_as=None), differs=False)


def _differ(one: Session, other: Session) -> bool:
    if one.energy_mwh is None or other.energy_mwh is None:
        return False
    return is_apart_from(one.energy_mwh, other.energy_mwh)


def _marked(session: Session, *, differs: bool) -> Session:
    doubts = {each for each in session.doubts if each != Doubt.TOLD_TWO_WAYS}
    if differs:
        doubts.add(str(Doubt.TOLD_TWO_WAYS))
    return replace(session, doubts=tuple(sorted(doubts)))


def around(at: datetime) -> tuple[datetime, datetime]:
    return at - NEAR, at + NEAR
