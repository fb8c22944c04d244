"""SQL on charge points that connect straight: what each is, its line, its connectors."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Row, delete, func, select, update

from atalaia.integrations.cvepro.model.chargers import Charger
from atalaia.integrations.cvepro.model.stations import Admission, Boot, Line, PlugState, Station, charger_of
from atalaia.integrations.cvepro.tables import plugs, station_lines, stations
from atalaia.sdk.transaction import Tx

_LINE: Final = tuple(Line.__struct_fields__)
_PLUG: Final = tuple(PlugState.__struct_fields__)
_COLUMNS: Final = (
    *(
        stations.c[name]
        for name in ("box_id", "standing", "told", "booted_at", "created_at", "decided_by", "decided_at")
    ),
    stations.c.password_sha256,
    *(station_lines.c[name] for name in _LINE),
)
_BOTH: Final = stations.outerjoin(station_lines, station_lines.c.box_id == stations.c.box_id)


def all_of_them(tx: Tx) -> list[Station]:
    return [_station(row) for row in tx.rows(select(*_COLUMNS).select_from(_BOTH).order_by(stations.c.box_id))]


def find(tx: Tx, box_id: str) -> Station | None:
    row = tx.one(select(*_COLUMNS).select_from(_BOTH).where(stations.c.box_id == box_id))
    return None if row is None else _station(row)


def password_of(tx: Tx, box_id: str) -> bytes | None:
    return tx.value(select(stations.c.password_sha256).where(stations.c.box_id == box_id))  # type: ignore[no-any-return]


def has_any(tx: Tx) -> bool:
    """Whether any was let in."""
    return tx.one(select(stations.c.box_id).where(stations.c.standing == str(Admission.ADMITTED)).limit(1)) is not None


def count_pending(tx: Tx) -> int:
    return int(tx.value(select(func.count()).where(stations.c.standing == str(Admission.PENDING))) or 0)


def add(tx: Tx, box_id: str, standing: Admission, *, by: str | None, now: datetime) -> None:
    """Nothing where it is there."""
    row = {
        "box_id": box_id,
        "standing": str(standing),
        "told": msgspec.to_builtins(Boot()),
        "created_at": now,
        "decided_by": by,
        "decided_at": now if by is not None else None,
    }
    tx.upsert(stations, [row], key=["box_id"])


def decide(tx: Tx, box_id: str, standing: Admission, *, by: str, now: datetime) -> None:
    values = {"standing": str(standing), "decided_by": by, "decided_at": now}
    tx.execute(update(stations).where(stations.c.box_id == box_id).values(**values))


def set_password(tx: Tx, box_id: str, sha256: bytes | None) -> None:
    tx.execute(update(stations).where(stations.c.box_id == box_id).values(password_sha256=sha256))


def keep_boot(tx: Tx, box_id: str, told: Boot, *, now: datetime) -> None:
    values = {"told": msgspec.to_builtins(told), "booted_at": now}
    tx.execute(update(stations).where(stations.c.box_id == box_id).values(**values))


def forget(tx: Tx, box_id: str) -> None:
    """Its sessions stay."""
    for table in (stations, station_lines, plugs):
        tx.execute(delete(table).where(table.c.box_id == box_id))


def connect(tx: Tx, box_id: str, *, hub: str, client: str, now: datetime) -> None:
    row = {
        "box_id": box_id,
        "hub": hub,
        "client": client,
        "connected_at": now,
        "alive_at": now,
        "seen_at": now,
        "refused": 0,
    }
    names = ["hub", "client", "connected_at", "alive_at", "seen_at", "refused"]
    tx.upsert(station_lines, [row], key=["box_id"], update=names)


def disconnect(tx: Tx, box_id: str, *, hub: str, connected_at: datetime, seen_at: datetime) -> None:
    """Unless it has connected anew since."""
    c = station_lines.c
    mine = (c.box_id == box_id, c.hub == hub, c.connected_at == connected_at)
    tx.execute(update(station_lines).where(*mine).values(hub=None, seen_at=seen_at))


def beat(tx: Tx, seen: Mapping[str, datetime], *, hub: str, now: datetime) -> set[str]:
    """Note that these are connected here still; those that are so at another hub by now."""
    c = station_lines.c
    lost = set()
    for box_id, seen_at in seen.items():
        if not tx.execute(
            update(station_lines).where(c.box_id == box_id, c.hub == hub).values(alive_at=now, seen_at=seen_at)
        ):
            lost.add(box_id)
    return lost


def end_dead_lines(tx: Tx, *, before: datetime) -> int:
    """Of hubs that have not said for long that theirs stand."""
    c = station_lines.c
    return tx.execute(update(station_lines).where(c.hub.is_not(None), c.alive_at < before).values(hub=None))


def end_lines_of_others(tx: Tx, hub: str) -> int:
    c = station_lines.c
    return tx.execute(update(station_lines).where(c.hub.is_not(None), c.hub != hub).values(hub=None))


def count_refused(tx: Tx, counts: Mapping[str, int], *, now: datetime) -> None:
    c = station_lines.c
    for box_id, n in counts.items():
        tx.upsert(station_lines, [{"box_id": box_id, "refused": 0}], key=["box_id"])
        tx.execute(update(station_lines).where(c.box_id == box_id).values(refused=c.refused + n, refused_at=now))


def keep_plug(tx: Tx, box_id: str, connector: int, **values: Any) -> None:
    row = {"box_id": box_id, "connector": connector, **values}
    tx.upsert(plugs, [row], key=["box_id", "connector"], update=list(values))


def plugs_of(tx: Tx, box_id: str | None = None) -> dict[str, list[PlugState]]:
    question = select(plugs.c.box_id, *(plugs.c[name] for name in _PLUG))
    if box_id is not None:
        question = question.where(plugs.c.box_id == box_id)
    found: dict[str, list[PlugState]] = {}
    for row in tx.rows(question):
        values = row._asdict()
        found.setdefault(values.pop("box_id"), []).append(PlugState(**values))
    return found


def straight(tx: Tx, box_id: str | None = None) -> dict[str, tuple[Charger, bool]]:
    """Those that were let in, or this one, as chargers, with whether each is connected; by box id."""
    asked = all_of_them(tx) if box_id is None else [each for each in (find(tx, box_id),) if each is not None]
    found = [each for each in asked if each.is_admitted]
    own: Mapping[str, Sequence[PlugState]] = plugs_of(tx, box_id) if found else {}
    return {each.box_id: (charger_of(each, own.get(each.box_id, ())), each.is_connected) for each in found}


def _station(row: Row[Any]) -> Station:
    values: dict[str, Any] = row._asdict()
    line = {name: values.pop(name) for name in _LINE}
    password = values.pop("password_sha256")
    values["standing"] = Admission(values["standing"])
    values["told"] = msgspec.convert(values["told"], Boot)
    values["line"] = Line(**{**line, "refused": line["refused"] or 0})
    return Station(**values, has_password=password is not None)
