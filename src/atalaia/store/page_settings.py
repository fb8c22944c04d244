"""What the settings page has kept."""

import base64
import binascii
from collections.abc import Callable
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import delete, select

from atalaia.core.errors import ConfigError
from atalaia.core.settings import SEALED
from atalaia.sdk.transaction import Tx
from atalaia.store.encryption import Sealer
from atalaia.store.tables import settings

TOPIC = "settings"

log = structlog.get_logger()


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


def seal_page_secret(sealer: Sealer, key: str, secret: str) -> dict[str, str]:
    """A secret that was typed on the page, as it is kept; bound to its setting."""
    return {SEALED: base64.b64encode(sealer.seal(secret, purpose=_purpose(key))).decode()}


def page_secrets(sealer: Sealer) -> Callable[[str, str], str | None]:
    """For core.settings: opens what `seal_page_secret` made. One that can't be opened is logged, and not set."""
    known: dict[tuple[str, str], str | None] = {}  # settings are read anew every few seconds

    def open_sealed(key: str, sealed: str) -> str | None:
        if (key, sealed) not in known:
            known[key, sealed] = _opened(sealer, key, sealed)
        return known[key, sealed]

    return open_sealed


def _opened(sealer: Sealer, key: str, sealed: str) -> str | None:
    try:
        return sealer.open(base64.b64decode(sealed), purpose=_purpose(key))
    except (ConfigError, binascii.Error, ValueError) as error:
        log.error("page_secret_unreadable", setting=key, reason=str(error))  # noqa: TRY400 - expected after a restore
        return None


def _purpose(key: str) -> str:
    return f"setting:{key}"
