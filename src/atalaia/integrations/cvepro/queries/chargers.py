"""SQL on what was last read of the chargers, and on how the reading stands. Compared before it is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import delete, select, update

from atalaia.integrations.cvepro.model.chargers import Charger
from atalaia.integrations.cvepro.model.feeds import Feed
from atalaia.integrations.cvepro.model.stations import shown_once
from atalaia.integrations.cvepro.queries.stations import straight
from atalaia.integrations.cvepro.tables import chargers, feeds, notes
from atalaia.sdk.transaction import Tx

_FEED = tuple(each.name for each in fields(Feed))


def feed(tx: Tx, name: str) -> Feed:
    row = tx.one(select(*(feeds.c[each] for each in _FEED)).where(feeds.c.name == name))
    return Feed(name=name) if row is None else Feed(**row._asdict())


def keep_feed(tx: Tx, feed: Feed) -> None:
    row = {each: getattr(feed, each) for each in _FEED}
    tx.upsert(feeds, [row], key=["name"], update=[each for each in _FEED if each != "name"])


def forget_feed(tx: Tx, name: str) -> None:
    for table, column in ((feeds, feeds.c.name), (notes, notes.c.feed)):
        tx.execute(delete(table).where(column == name))


@dataclass(frozen=True, slots=True)
class Unread:
    """What of a list could not be understood: paths of fields, and status words that we don't know with how often."""

    paths: Sequence[str] = ()
    strange: Mapping[str, int] = field(default_factory=dict)


def unread(tx: Tx, name: str) -> Unread:
    row = tx.one(select(notes).where(notes.c.feed == name))
    return Unread() if row is None else Unread(row.unread, row.strange)


def keep_unread(tx: Tx, name: str, found: Unread) -> bool:
    """Whether it is another than before."""
    kept = unread(tx, name)
    if (list(kept.paths), dict(kept.strange)) == (list(found.paths), dict(found.strange)):
        return False
    row = {"feed": name, "unread": list(found.paths), "strange": dict(found.strange)}
    tx.upsert(notes, [row], key=["feed"], update=["unread", "strange"])
    return True


def all_of_them(tx: Tx) -> list[Charger]:
    """The vendor's in their order, then those that connect straight and it does not know; each once."""
    return shown_once(told_by_vendor(tx), straight(tx))


def told_by_vendor(tx: Tx) -> list[Charger]:
    return [_charger(row) for row in tx.rows(select(chargers).order_by(chargers.c.position, chargers.c.key))]


def one(tx: Tx, key: str) -> Charger | None:
    return next((each for each in all_of_them(tx) if each.key == key), None)


def keep_all(tx: Tx, found: Sequence[Charger], *, now: datetime) -> int:
    """Of the vendor's these, and no others; how many rows were written."""
    kept = {row.key: row for row in tx.rows(select(chargers))}
    new = {charger.key: _row(charger, position, now) for position, charger in enumerate(found)}
    tx.insert(chargers, [row for key, row in new.items() if key not in kept])
    written = sum(key not in kept for key in new)
    for key, row in new.items():
        if key in kept and (changes := _changes(kept[key], row)):
            tx.execute(update(chargers).where(chargers.c.key == key).values(**changes))
            written += 1
    if gone := [key for key in kept if key not in new]:
        written += tx.execute(delete(chargers).where(chargers.c.key.in_(gone)))
    return written


def _changes(kept: Any, row: dict[str, Any]) -> dict[str, Any]:
    names = ("position", "told", "heartbeat_at")
    changes = {name: row[name] for name in names if getattr(kept, name) != row[name]}
    if changes.keys() - {"heartbeat_at"}:
        changes["changed_at"] = row["changed_at"]
    return changes


def _row(charger: Charger, position: int, now: datetime) -> dict[str, Any]:
    # As it comes out of the store again, so that the two can be compared.
    told = msgspec.json.decode(msgspec.json.encode(msgspec.structs.replace(charger, heartbeat_at=None)))
    return {
        "key": charger.key,
        "position": position,
        "told": told,
        "heartbeat_at": charger.heartbeat_at,
        "changed_at": now,
    }


def _charger(row: Any) -> Charger:
    found = msgspec.convert(row.told, Charger)
    return msgspec.structs.replace(found, heartbeat_at=row.heartbeat_at)
