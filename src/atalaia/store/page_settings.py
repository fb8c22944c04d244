"""What the settings page has kept."""

from datetime import datetime
from typing import Any

from sqlalchemy import delete, select

from atalaia.sdk.transaction import Tx
from atalaia.store.tables import settings

TOPIC = "settings"


def read_page_settings(tx: Tx) -> dict[str, Any]:
    return {row.key: row.value for row in tx.rows(select(settings.c.key, settings.c.value))}


def write_page_setting(tx: Tx, key: str, value: Any, *, now: datetime) -> None:
    """Keep a value; None goes back to the default. All hubs read it anew when `settings` is published."""
    if value is None:
        tx.execute(delete(settings).where(settings.c.key == key))
    else:
        row = {"key": key, "value": value, "changed_at": now}
        tx.upsert(settings, [row], key=["key"], update=["value", "changed_at"])
    tx.publish(TOPIC, key)
