"""A hub, put together: the store, the slices with what each needs, the loops, the web application.

Start: 1. data directory and its lock, 2. store and migrations, 3. settings, 4. slices, 5. loops. A stop goes the other way.
"""

import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import structlog

from atalaia.app.health import Health
from atalaia.app.integrations import integration_folders
from atalaia.app.memory import limit_arenas, settle
from atalaia.app.migrations import migration_folders
from atalaia.app.options import HubOptions
from atalaia.app.own import HubMetrics, own_health, own_loops
from atalaia.app.slices import Base, read_settings, wire_slices
from atalaia.app.supervisor import Supervisor
from atalaia.core import log_files
from atalaia.core.clock import SystemClock
from atalaia.core.errors import AtalaiaError
from atalaia.core.ids import new_id
from atalaia.core.logging import configure_logging
from atalaia.core.settings import Settings
from atalaia.core.translations import SOURCE, Translations
from atalaia.store.directory import DirectoryLock, prepare_data_dir
from atalaia.store.encryption import load_sealer
from atalaia.store.leadership import Leadership, database_now
from atalaia.store.opening import migrate_store, open_store
from atalaia.store.page_settings import page_secrets, read_page_settings
from atalaia.store.store import Store
from atalaia.version import VERSION
from atalaia.web.addresses import TrustedProxies
from atalaia.web.application import create_application
from atalaia.web.edge import Edge
from atalaia.web.live import LiveStreams
from atalaia.web.pages import Pages
from atalaia.web.rendering import Renderer, template_roots
from atalaia.web.security import SecureHeaders
from atalaia.web.sockets import SocketDoor
from atalaia.web.static_files import StaticFiles

log = structlog.get_logger()


class Hub:
    """Everything is open once it is made, and nothing runs yet: the lifespan of `asgi` starts it.

    Raises:
        ConfigError: another hub has the directory, the database is newer, a setting is wrong.
    """

    def __init__(self, options: HubOptions) -> None:
        limit_arenas()
        self.options = options
        data_dir = prepare_data_dir(options.data_dir)
        self._lock = DirectoryLock(data_dir)
        self._lock.acquire()
        self._clock = SystemClock()
        self.settings = read_settings(data_dir)
        configure_logging(level=str(self.settings.get("hub.log_level")), folder=data_dir / log_files.FOLDER)
        self.store = _open_migrated(options)
        sealer = load_sealer(data_dir)
        self.settings.open_secrets_with(page_secrets(sealer))
        self.settings.set_page_values(self.store.read_now(read_page_settings))
        self._leadership = Leadership(
            holder=f"{socket.gethostname()}:{os.getpid()}:{new_id()}",
            clock=self._clock,
            now=database_now if self.store.dialect == "postgresql" else None,
        )
        folders = [folder.parent for folder in integration_folders("translations").values()]
        translations = Translations.load((SOURCE, *folders))
        self.pages = _pages(translations, self.settings)
        self.live = LiveStreams(self.store.live)
        self.public_url = str(self.settings.get("hub.public_url")).rstrip("/") or options.listen_url
        self.slices = wire_slices(self._base(sealer, options))
        self.contributions = self.slices.contributions
        self._connect()
        loops = [loop for part in self.contributions for loop in part.loops]
        own = own_loops(self.store, self._leadership, self.settings)
        self.supervisor = Supervisor([*own, *loops], is_leader=self.is_leader)
        self.asgi = self._application(translations)

    def is_leader(self) -> bool:
        # On SQLite the directory's lock has said already that there is one hub.
        return self.store.dialect == "sqlite" or self._leadership.is_leader

    def release(self) -> None:
        """End what open requests wait for (long polls, live streams), so that a stop need not wait for them."""
        self.live.release()
        for part in self.contributions:
            if part.release is not None:
                part.release()

    async def close_sockets(self) -> None:
        """Behind `release`: a word to each peer that the hub goes, before its connection ends."""
        await self.sockets.close_all()

    async def announce(self) -> None:
        """Say on stdout where the hub is, once it can be asked: one line, and one more while nobody has an account."""
        first_start = await self.slices.first_start_address()
        sys.stdout.write(f"Atalaia is listening on {self.public_url}\n")
        if first_start:
            sys.stdout.write(f"First start: open {first_start}\n")
        sys.stdout.flush()

    def _base(self, sealer: Any, options: HubOptions) -> Base:
        return Base(
            store=self.store,
            clock=self._clock,
            settings=self.settings,
            sealer=sealer,
            pages=self.pages,
            live=self.live,
            public_url=self.public_url,
            data_dir=options.data_dir,
            is_leader=self.is_leader,
        )

    def _connect(self) -> None:
        """Handlers to their events, ways to the menu, words to the audit log."""
        for part in self.contributions:
            self.pages.nav.extend(part.nav)
            self.pages.audit_words.update(part.audit_words)
            for event, handler in part.handlers:
                self.store.on(event, handler)

    def _application(self, translations: Translations) -> Edge:
        items = [
            *own_health(self.store, self.supervisor),
            *(item for part in self.contributions for item in part.health),
        ]
        health = Health(items, clock=self._clock)
        address = self.public_url if self.options.tls_cert else self.options.listen_url
        self.slices.snapshots.attend(report=lambda: health.report()[1], address=address)
        hot = [
            *health.routes(),
            *(route for part in self.contributions for route in part.hot_routes),
        ]
        framework = create_application(
            self.contributions,
            pages=self.pages,
            live=self.live,
            version=VERSION,
            middleware=self.slices.middleware,
            hot_routes=hot,
            lifespan=self._lifespan,
        )
        proxies = TrustedProxies(self.settings.get("hub.trusted_proxies"))
        self.sockets = SocketDoor(
            [route for part in self.contributions for route in part.sockets], proxies=proxies, translations=translations
        )
        own = self.slices.own_metrics
        own.registry.register(HubMetrics(self.store, self.supervisor, self.live))
        return Edge(
            framework,
            hot,
            proxies=proxies,
            translations=translations,
            headers=SecureHeaders(is_tls=self.public_url.startswith("https://")),
            file_routes=(path for part in self.contributions for path in part.file_routes),
            sockets=self.sockets,
            on_answer=lambda endpoint, method, seconds: own.api_answered(endpoint, method, seconds=seconds),
        )

    @asynccontextmanager
    async def _lifespan(self, _app: object) -> AsyncIterator[None]:
        self.live.start()
        for part in self.contributions:
            if part.start is not None:
                await part.start()
        await self.supervisor.start()
        settle()
        try:
            yield
        finally:
            await self._stop()

    async def _stop(self) -> None:
        await self.supervisor.stop()
        self.live.stop()
        for part in reversed(self.contributions):
            if part.stop is not None:
                try:
                    await part.stop()
                except Exception:  # the others have something to hand back too
                    log.exception("stop_failed", part=part.name)
        if self.store.dialect == "postgresql" and self._leadership.is_leader:
            try:
                await self.store.write(self._leadership.release)
            except AtalaiaError as error:  # the database is away: the lease ends by itself
                log.warning("lease_not_given_back", code=error.code)
        self.store.close()
        self._lock.release()


def _open_migrated(options: HubOptions) -> Store:
    store = open_store(options.data_dir, database_url=options.database_url)
    try:
        applied = migrate_store(store, migration_folders())
    except BaseException:
        store.close()
        raise
    if applied:
        log.info("migrated", revisions=applied)
    return store


def _pages(translations: Translations, settings: Settings) -> Pages:
    roots = {**template_roots(), **integration_folders("templates")}
    renderer = Renderer(translations, StaticFiles(), roots=roots)
    return Pages(renderer, version=VERSION, default_timezone=lambda: str(settings.get("hub.timezone")))
