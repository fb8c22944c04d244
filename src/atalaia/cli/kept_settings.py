"""Settings that the settings page kept, for a command that runs beside the hub."""

import os
from pathlib import Path

from atalaia.app.migrations import migration_folders
from atalaia.core.errors import AtalaiaError
from atalaia.core.settings import Settings
from atalaia.store.encryption import FILE_NAME as KEY_NAME
from atalaia.store.encryption import KEY_BYTES, VARIABLE, Sealer, load_sealer
from atalaia.store.migrations import pending
from atalaia.store.opening import MIGRATIONS
from atalaia.store.page_settings import page_secrets, read_page_settings
from atalaia.store.store import Store


def open_kept_settings(store: Store, settings: Settings, data_dir: Path) -> list[str]:
    """Read what the settings page kept; what could not be read. From here on its secrets are known, and starred out."""
    try:
        waiting = pending(store.reader_engine, [MIGRATIONS, *migration_folders()])
        if waiting:
            return [f"the database is of an earlier version: {len(waiting)} migrations are pending"]
        settings.open_secrets_with(page_secrets(sealer_of(data_dir)))
        settings.set_page_values(store.read_now(read_page_settings))
    except AtalaiaError as error:
        return [f"settings: {error}"]
    return []


def sealer_of(data_dir: Path) -> Sealer:
    """One of no use where the hub's key is not at hand: none is made here."""
    has_key = bool(os.environ.get(VARIABLE)) or (data_dir / KEY_NAME).is_file()
    return load_sealer(data_dir) if has_key else Sealer([os.urandom(KEY_BYTES)])
