"""The lists that an account may offer besides: tags, and sessions under way. Pure, and never raises, whatever an item holds.

What each account calls its fields differs, so that of a field all names are taken that are known; of none of them is known that
it must be there, but for the one without which an item says nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any, Final

from atalaia.integrations.cvepro.model.cloud_tags import CloudTag
from atalaia.integrations.cvepro.model.fields import Item, Notes
from atalaia.integrations.cvepro.model.residents import LONGEST_TAG, tag_key
from atalaia.integrations.cvepro.model.sessions import Session

_TAG_PATH: Final = "tags[]"
_ACTIVE_PATH: Final = "active[]"
_TAG: Final = ("idTag", "ocppIdTag", "tag", "tagId", "rfid", "uid")
_TAG_PK: Final = ("ocppTagPk", "tagPk", "pk", "id")
_NAME: Final = ("userName", "name", "user", "holder")
_FLAT: Final = ("userAddressComplement", "addressComplement", "flat", "unit", "apartment")
_ON: Final = ("active", "isActive", "enabled")
_ID: Final = "id"  # that of the sessions' list and no other, or one session would be kept as two
_BOX: Final = ("chargeBoxId", "chargePointId")
_UUID: Final = ("chargeBoxUuid", "chargePointUuid", "uuid")
_START: Final = ("startTimestamp", "startedAt", "start")
_METER: Final = ("stopValue", "currentValue", "meterValue", "lastValue")
# Without these an item can't be used, so that it is told when most lack them.
NEEDED: Final = frozenset({f"{_TAG_PATH}.{_TAG[0]}", f"{_ACTIVE_PATH}.{_ID}"})


@dataclass(frozen=True, slots=True)
class TagsRead:
    tags: Sequence[CloudTag]
    notes: Notes


@dataclass(frozen=True, slots=True)
class ActiveRead:
    sessions: Sequence[Session]
    notes: Notes


def read_tags(items: Sequence[Any]) -> TagsRead:
    """Each once; the last word on it holds."""
    notes = Notes()
    found = [_tag(Item(each, _TAG_PATH, notes)) for each in items if _is_object(each, _TAG_PATH, notes)]
    return TagsRead(list({each.tag: each for each in found if each is not None}.values()), notes)


def read_active(items: Sequence[Any], *, zone: tzinfo) -> ActiveRead:
    notes = Notes()
    found = [_session(Item(each, _ACTIVE_PATH, notes), zone) for each in items if _is_object(each, _ACTIVE_PATH, notes)]
    return ActiveRead([each for each in found if each is not None], notes)


def _is_object(value: Any, path: str, notes: Notes) -> bool:
    notes.asked[path] += 1
    if isinstance(value, dict):
        return True
    notes.unreadable[path] += 1
    return False


def _tag(item: Item) -> CloudTag | None:
    tag = tag_key(item.text(item.called(*_TAG)))
    made = CloudTag(
        tag=(tag or "")[:LONGEST_TAG],
        pk=item.text(item.called(*_TAG_PK)),
        user_name=item.words(item.called(*_NAME)),
        flat=item.text(item.called(*_FLAT)),
        is_active=item.flag(item.called(*_ON)),
    )
    return made if tag else None


def _session(item: Item, zone: tzinfo) -> Session | None:
    """How much it took is told at its end: until then the meter counts, where it is told."""
    id_ = item.text(_ID)
    made = Session(
        id=id_ or "",
        connector=item.text("connectorId"),
        box_id=item.text(item.called(*_BOX)),
        charger_uuid=item.text(item.called(*_UUID)),
        tag=item.text(item.called("ocppIdTag", *_TAG)),
        tag_pk=item.text(item.called("ocppTagPk", "tagPk")),
        started_at=item.instant(item.called(*_START), zone),
        start_mwh=item.thousandths("startValue"),
        stop_mwh=item.thousandths(item.called(*_METER)),
        user_name=item.words(item.called(*_NAME)),
        flat=item.text(item.called(*_FLAT)),
    )
    return made if id_ else None
