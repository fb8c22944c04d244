"""Integrations in the hub: each is set up with a host of its own, and what it offers becomes a part like a slice's.

One that fails while it is loaded, set up or started is logged, shown on the settings page and by /health (which it does not
degrade), and keeps nobody else from working.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import structlog

from atalaia.app.host import HostParts, IntegrationHost
from atalaia.app.integration_routes import (
    Making,
    OpenStreams,
    addresses_of,
    documents,
    page_handlers,
    route_handler,
    unnamed,
)
from atalaia.app.shared_parts import SharedParts
from atalaia.core.errors import ConfigError
from atalaia.core.events import Event
from atalaia.core.redaction import scrub
from atalaia.core.settings import INTEGRATIONS, Setting, Settings
from atalaia.home.settings import IntegrationSection
from atalaia.integrations import Loaded, find_integrations
from atalaia.sdk.contribution import Contribution, HealthItem, HotRoute, NavItem
from atalaia.sdk.integration import Integration, Offer
from atalaia.sdk.messages import MessageDone, MessageReceived
from atalaia.sdk.sockets import SocketRoute
from atalaia.sdk.transaction import Tx
from atalaia.web.pages import Pages

log = structlog.get_logger()


class Standing(StrEnum):
    READY = "ready"
    UNCONFIGURED = "unconfigured"
    FAILED = "failed"


@dataclass(slots=True)
class Status:
    """How one integration stands; `trouble` is of its failure, for people who may see the settings."""

    loaded: Loaded
    settings: Settings
    trouble: str | None = None
    is_in_use: Callable[[], bool] = lambda: False
    contribution: Contribution = field(default_factory=lambda: Contribution(name=""), repr=False)

    def section(self) -> IntegrationSection:
        """Its part of the settings page."""
        manifest = self.loaded.integration.manifest if self.loaded.integration else None
        return IntegrationSection(
            key=f"{INTEGRATIONS}.{self.name}",
            title=manifest.title if manifest else self.name,
            summary=manifest.summary if manifest else "",
            standing=lambda: str(self.standing()),
            trouble=lambda: self.trouble,
        )

    @property
    def name(self) -> str:
        return self.loaded.name

    def standing(self) -> Standing:
        integration = self.loaded.integration
        if integration is None or self.trouble is not None:
            return Standing.FAILED
        try:
            is_configured = integration.manifest.is_configured(setting_getter(self.settings, self.name))
            is_ready = is_configured or self.is_in_use()
        except Exception as error:
            log.exception("integration_failed", integration=self.name, phase="is_configured")
            self.trouble = _words(error)
            return Standing.FAILED
        return Standing.READY if is_ready else Standing.UNCONFIGURED


def setting_getter(settings: Settings, name: str) -> Callable[[str], Any]:
    """`get("login_url")` for one integration."""
    return lambda key: settings.get(f"{INTEGRATIONS}.{name}.{key}")


def integration_settings() -> Sequence[Setting]:
    return tuple(
        setting
        for loaded in find_integrations()
        if loaded.integration is not None
        for setting in loaded.integration.manifest.settings
    )


def unreadable_integrations() -> Sequence[str]:
    return tuple(loaded.name for loaded in find_integrations() if loaded.integration is None)


def integration_folders(part: str) -> dict[str, Path]:
    """By name: those that have such a folder, as `migrations` or `templates`."""
    return {loaded.name: folder for loaded in find_integrations() if (folder := loaded.part(part)) is not None}


def set_up(
    found: Sequence[Loaded], parts: HostParts, *, pages: Pages, below: Sequence[Contribution] = ()
) -> list[Status]:
    """All of them, each as it stands; `contribution` is what it gives to the hub.

    `below` are the slices: an address of theirs can't be taken, nor one that another integration has taken.
    """
    taken = addresses_of(route for part in below for route in part.routes)
    taken |= _hot_addresses([hot for part in below for hot in part.hot_routes])
    making = Making(pages, SharedParts(parts.store.live, monotonic=parts.clock.monotonic))
    return [_set_up_one(loaded, parts, making, taken) for loaded in found]


def _set_up_one(loaded: Loaded, parts: HostParts, making: Making, taken: set[tuple[str, str]]) -> Status:
    status = Status(loaded, parts.settings, loaded.trouble)
    offer = Offer()
    routes: list[Any] = []
    hot: Sequence[HotRoute] = ()
    streams = OpenStreams()
    if loaded.integration is None:
        log.error("integration_failed", integration=loaded.name, phase="load", reason=loaded.trouble)
    else:
        try:
            offer = loaded.integration.setup(IntegrationHost(loaded.integration, parts))
            routes = _routes(loaded.integration, offer, settings=parts.settings, making=making, streams=streams)
            hot = parts.signals.take(loaded.name, offer.signal_tasks, offer.signal_addresses)
            parts.channels.take(loaded.name, offer.channels)
            parts.job_runs.take(offer.job_runs, own=[each.name for each in loaded.integration.job_types])
            _take(addresses_of(routes) | _hot_addresses(hot) | _socket_addresses(offer.sockets), taken)
        except Exception as error:
            log.exception("integration_failed", integration=status.name, phase="setup")
            parts.signals.forget(loaded.name)
            parts.channels.forget(loaded.name)
            status.trouble, offer, routes, hot = _words(error), Offer(), [], ()
    status.is_in_use = offer.is_in_use or status.is_in_use
    status.contribution = replace(_contribution(status, offer, routes, streams), hot_routes=hot)
    return status


def _routes(
    integration: Integration, offer: Offer, *, settings: Settings, making: Making, streams: OpenStreams
) -> list[Any]:
    name = integration.manifest.name
    get = setting_getter(settings, name)
    handlers: list[Any] = [route_handler(route, networks=get, streams=streams) for route in offer.routes]
    for page in offer.pages:
        handlers += page_handlers(page, name=name, making=making)
    return handlers


def _hot_addresses(routes: Sequence[HotRoute]) -> set[tuple[str, str]]:
    return {(route.method or "", route.path.replace("{name}", "{}")) for route in routes}


def _socket_addresses(routes: Sequence[SocketRoute]) -> set[tuple[str, str]]:
    return {("GET", unnamed(route.path)) for route in routes}


def _take(wanted: set[tuple[str, str]], taken: set[tuple[str, str]]) -> None:
    """Raises: ConfigError."""
    clashes = sorted(each for each in wanted if each in taken or ("", each[1]) in taken)
    if clashes:
        raise ConfigError(f"{' '.join(clashes[0])} is taken already")
    taken |= wanted


def _quiet_badge(item: NavItem) -> NavItem:
    """A badge is asked for on every page: one that fails must not take them all down."""
    ask = item.badge
    if ask is None:
        return item

    def badge() -> int:
        try:
            return ask()
        except Exception:  # noqa: BLE001 - whatever it is, the pages of everybody go before it
            return 0

    return replace(item, badge=badge)


def _contribution(status: Status, offer: Offer, routes: Sequence[Any], streams: OpenStreams) -> Contribution:
    manifest = status.loaded.integration.manifest if status.loaded.integration else None
    title = manifest.title if manifest else status.name
    own = HealthItem(f"integration_{status.name}", lambda: status.standing() is not Standing.FAILED, degrades=False)

    def is_in_use() -> bool:
        return status.standing() is Standing.READY

    return Contribution(
        name=status.name,
        routes=routes,
        sockets=offer.sockets,
        documents=documents(offer.routes, title=title),
        loops=offer.loops,
        handlers=_listeners(status.name, offer),
        metadata=offer.metadata,
        migrations=status.loaded.part("migrations"),
        nav=[replace(_quiet_badge(item), is_in_use=is_in_use) for item in offer.nav],
        health=(own, *offer.health),
        audit_words=manifest.audit_words if manifest else {},
        start=_guarded(status, offer.start, phase="start"),
        release=streams.release,
        stop=_guarded(status, offer.stop, phase="stop"),
    )


def _listeners(name: str, offer: Offer) -> Sequence[tuple[type[Event], Callable[[Tx, Any], None]]]:
    """What it hears of its messages. One that fails loses its own word, and not the record of what was sent.

    Of what people write to us nothing may be lost: who can't take it keeps it from being acknowledged, so that it comes again.
    """
    received: list[Any] = [] if offer.on_received is None else [(MessageReceived, offer.on_received)]
    hear = offer.on_message
    if hear is None:
        return received

    def on_done(tx: Tx, event: MessageDone) -> None:
        if event.owner != name:
            return
        try:
            with tx.connection.begin_nested():
                hear(tx, event)
        except Exception:
            log.exception("integration_failed", integration=name, phase="on_message")

    return ((MessageDone, on_done), *received)


def _guarded(
    status: Status, call: Callable[[], Awaitable[None]] | None, *, phase: str
) -> Callable[[], Awaitable[None]] | None:
    if call is None:
        return None

    async def guarded() -> None:
        try:
            await call()
        except Exception as error:
            log.exception("integration_failed", integration=status.name, phase=phase)
            status.trouble = _words(error)

    return guarded


def _words(error: Exception) -> str:
    return scrub(f"{type(error).__name__}: {error}")
