"""SQL on the picture of the garage, and where on it each charger is."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from sqlalchemy import delete, select

from atalaia.integrations.cvepro.model.pictures import Picture
from atalaia.integrations.cvepro.tables import places, plans
from atalaia.sdk.transaction import Tx

_ID: Final = "garage"  # one for all; a second floor would be a second row


def picture(tx: Tx) -> tuple[str, Picture] | None:
    """The id of its file, and what it is."""
    row = tx.one(select(plans).where(plans.c.id == _ID))
    return None if row is None else (row.file_id, Picture(row.media_type, row.width_px, row.height_px))


def keep_picture(tx: Tx, file_id: str, found: Picture, *, by: str, now: datetime) -> None:
    row = {
        "id": _ID,
        "file_id": file_id,
        "media_type": found.media_type,
        "width_px": found.width_px,
        "height_px": found.height_px,
        "changed_by": by,
        "changed_at": now,
    }
    tx.upsert(plans, [row], key=["id"], update=[name for name in row if name != "id"])


def drop_picture(tx: Tx) -> None:
    tx.execute(delete(plans).where(plans.c.id == _ID))


def all_places(tx: Tx) -> dict[str, tuple[float, float]]:
    """By charger, in percent."""
    return {row.charger_key: (row.x_percent, row.y_percent) for row in tx.rows(select(places))}


def keep_places(tx: Tx, wanted: Mapping[str, tuple[float, float] | None], *, now: datetime) -> None:
    """None: it is on the picture no more."""
    gone = [key for key, place in wanted.items() if place is None]
    if gone:
        tx.execute(delete(places).where(places.c.charger_key.in_(gone)))
    rows = [
        {"charger_key": key, "x_percent": place[0], "y_percent": place[1], "changed_at": now}
        for key, place in wanted.items()
        if place is not None
    ]
    if rows:
        tx.upsert(places, rows, key=["charger_key"], update=["x_percent", "y_percent", "changed_at"])
