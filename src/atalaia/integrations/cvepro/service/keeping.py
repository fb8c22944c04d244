"""What a reading of a list makes of what is kept, within a unit of work."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec.structs import replace

from atalaia.integrations.cvepro.model.chargers import Charger, recognised
from atalaia.integrations.cvepro.model.sessions import Session, merged
from atalaia.integrations.cvepro.queries import chargers, sessions
from atalaia.integrations.cvepro.queries.tag_names import tags_by_pk
from atalaia.integrations.cvepro.queries.turns import hold_sessions
from atalaia.integrations.cvepro.service.telling import Change, Telling
from atalaia.integrations.cvepro.service.twins import settle
from atalaia.sdk.transaction import Tx


def keep_chargers(tx: Tx, told: Sequence[Charger], *, now: datetime, telling: Telling | None = None) -> list[Charger]:
    """As they are kept now, under the keys they have always had. `telling`: residents hear what is news to them."""
    before = chargers.told_by_vendor(tx)
    found = recognised(told, before)
    chargers.keep_all(tx, found, now=now)
    if telling is not None:
        telling.of_chargers(tx, before, found, now=now)
    return found


def keep_sessions(tx: Tx, told: Sequence[Session], *, now: datetime, telling: Telling | None = None) -> int:
    """Each once by its id, also where a list holds it twice; how many are new or other than before."""
    hold_sessions(tx)
    known = chargers.all_of_them(tx)
    powers = _powers(known)
    kept = sessions.some(tx, sorted({each.id for each in told}))
    after = dict(kept)
    for each in _tagged(tx, told, kept):
        after[each.id] = merged(after.get(each.id), each, power_w=_power(each, powers))
    new = [session for id_, session in after.items() if id_ not in kept]
    changed = [session for id_, session in after.items() if id_ in kept and session != kept[id_]]
    sessions.add(tx, new, now=now)
    for session in changed:
        sessions.change(tx, session, now=now)
    # What changed first: it may turn out to be another's than one that is new.
    paired = settle(tx, (*changed, *new), known=known, now=now)
    if telling is not None:
        changes = [Change(kept.get(each.id), paired.get(each.id, each)) for each in (*new, *changed)]
        telling.of_sessions(tx, changes, now=now)
    return len(new) + len(changed)


def _tagged(tx: Tx, told: Sequence[Session], kept: Mapping[str, Session]) -> list[Session]:
    """While a session is under way the vendor may name its tag by number alone."""
    nameless = {each.id for each in told if each.tag is None and not (each.id in kept and kept[each.id].tag)}
    names = tags_by_pk(tx, {each.tag_pk for each in told if each.id in nameless and each.tag_pk})
    return [
        replace(each, tag=names[each.tag_pk]) if each.id in nameless and each.tag_pk in names else each for each in told
    ]


def _powers(found: Sequence[Charger]) -> dict[str, float]:
    """By each id that a session may name the charger by; W."""
    powers: dict[str, float] = {}
    for charger in found:
        if charger.power_max_w is not None:
            powers |= {name: charger.power_max_w for name in (charger.box_id, charger.uuid) if name}
    return powers


def _power(session: Session, powers: Mapping[str, float]) -> float | None:
    return next((powers[name] for name in (session.box_id, session.charger_uuid) if name and name in powers), None)
