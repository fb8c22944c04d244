"""What notify gives to the hub."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from litestar.di import Provide

from atalaia.access.events import PasswordLinkAsked
from atalaia.core.clock import Clock
from atalaia.core.permissions import Permission
from atalaia.core.settings import Settings
from atalaia.core.translations import N_
from atalaia.notify import tables
from atalaia.notify.api import ChannelsApi, DeliveriesApi, RoutesApi
from atalaia.notify.audit_words import AUDIT_WORDS
from atalaia.notify.channels.registry import OWN, ChannelKinds, own_kinds
from atalaia.notify.channels.tools import Tools
from atalaia.notify.loops import notify_loops
from atalaia.notify.pages import ChannelPages, DeliveryPages, RoutePages
from atalaia.notify.service.delivering import Transport
from atalaia.notify.service.direct import DirectMessages
from atalaia.notify.service.letters import Letters
from atalaia.notify.service.notify import NotifyService
from atalaia.notify.service.sender import Sender
from atalaia.outbound.guard import Guard
from atalaia.outbound.http import HttpClient
from atalaia.sdk.contribution import Contribution, NavItem, SearchSource
from atalaia.store.encryption import Sealer
from atalaia.store.store import Store
from atalaia.web.pages import Pages

MIGRATIONS = Path(__file__).parent / "migrations"
# For transports that block: mail and Apprise.
THREADS = 8


@dataclass(frozen=True, slots=True)
class Notify:
    """`can_mail`: whether people can ask for a link by e-mail. `kinds` takes those of integrations, `direct` their messages."""

    contribution: Contribution
    can_mail: Callable[[], bool]
    kinds: ChannelKinds
    direct: DirectMessages


def wire(
    *,
    store: Store,
    clock: Clock,
    settings: Settings,
    sealer: Sealer,
    pages: Pages,
    public_url: Callable[[], str],
) -> Notify:
    guard = Guard(allow_private=bool(settings.get("hub.allow_private_targets")))
    threads = ThreadPoolExecutor(THREADS, thread_name_prefix="notify")
    tools = Tools(http=HttpClient(guard), guard=guard, threads=threads)
    kinds = ChannelKinds()
    kinds.take(OWN, own_kinds(tools))
    transport = Transport(
        clock=clock,
        sealer=sealer,
        kinds=kinds,
        translations=pages.renderer.translations,
        public_url=public_url,
    )
    service = NotifyService(store, clock=clock, sealer=sealer, transport=transport, kinds=kinds, guard=guard)
    sender = Sender(store, clock=clock, transport=transport, kinds=kinds)
    letters = Letters(store, clock=clock, sealer=sealer, tools=tools, translations=pages.renderer.translations)
    pages.banners.append(service.banners)

    async def start() -> None:
        await sender.start()
        await service.start()
        await letters.start()

    async def stop() -> None:
        await service.stop()
        await sender.stop()
        await letters.stop()
        await tools.http.aclose()
        threads.shutdown(wait=False, cancel_futures=True)

    contribution = Contribution(
        name="notify",
        audit_words=AUDIT_WORDS,
        routes=(ChannelsApi, RoutesApi, DeliveriesApi, ChannelPages, RoutePages, DeliveryPages),
        dependencies={"notify": Provide(lambda: service, sync_to_thread=False)},
        handlers=((PasswordLinkAsked, letters.on_password_link),),
        loops=notify_loops(service, sender, letters),
        metadata=tables.metadata,
        migrations=MIGRATIONS,
        nav=(NavItem("incidents", N_("Channels"), "/channels", Permission.CHANNELS_READ, order=60),),
        searches=(SearchSource(Permission.CHANNELS_READ, service.search),),
        start=start,
        stop=stop,
    )
    return Notify(contribution, letters.can_mail, kinds, DirectMessages(kinds, clock))
