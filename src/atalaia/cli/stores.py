"""The store as a command opens it: beside a hub that runs, or alone.

A command writes to the database itself. On SQLite the write waits its turn for some milliseconds; the hub looks new keys
up in the store and asks for revoked ones twice a second while keys are used, so nothing needs to be told to it.
"""

import getpass
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from atalaia.app.migrations import migration_folders
from atalaia.core.errors import ConfigError
from atalaia.core.logging import configure_logging
from atalaia.core.permissions import Permission, Principal
from atalaia.store.directory import DirectoryLock, prepare_data_dir
from atalaia.store.migrations import pending
from atalaia.store.opening import MIGRATIONS, migrate_store, open_store
from atalaia.store.store import Store

_HUB_STARTS_WITHIN_S = 15.0
_LOOK_AGAIN_S = 0.1


@contextmanager
def opened_store(data_dir: Path, database_url: str | None) -> Iterator[Store]:
    """The store, of this version; closed afterwards.

    Raises:
        ConfigError: the database is newer, or of an older version and in use by a hub.
    """
    configure_logging(level="ERROR")
    store = open_store(prepare_data_dir(data_dir), database_url=database_url)
    try:
        _bring_up_to_date(store, data_dir)
        yield store
    finally:
        store.close()


def operator() -> Principal:
    """Whoever runs a command on the hub's machine; the audit log names the account."""
    try:
        account = getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        account = str(os.getuid())
    return Principal(id=f"cli:{account}", kind="system", name=f"{account} (atalaia)", permissions=frozenset(Permission))


def _bring_up_to_date(store: Store, data_dir: Path) -> None:
    """Migrate, unless a hub has the directory: that one may be doing it right now, so it gets a moment."""
    give_up_at = time.monotonic() + _HUB_STARTS_WITHIN_S
    while pending(store.reader_engine, [MIGRATIONS, *migration_folders()]):
        lock = DirectoryLock(data_dir)
        try:
            lock.acquire()
        except ConfigError:
            if time.monotonic() > give_up_at:
                raise ConfigError(
                    f"the hub that runs on {data_dir} is of an earlier version than this command",
                    hint="Restart the hub: it brings its database up to this version at its start.",
                ) from None
            time.sleep(_LOOK_AGAIN_S)
            continue
        try:
            migrate_store(store, migration_folders())
        finally:
            lock.release()
