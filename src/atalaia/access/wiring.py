"""What access gives to the hub."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from litestar.di import Provide
from litestar.types import ASGIApp

from atalaia.access.api import audit as audit_api
from atalaia.access.api import keys as keys_api
from atalaia.access.api import people as people_api
from atalaia.access.audit_words import AUDIT_WORDS
from atalaia.access.authenticator import Authenticator
from atalaia.access.guards import Authentication
from atalaia.access.options import SETTINGS, AccessOptions
from atalaia.access.pages import account, links, sign_in
from atalaia.access.pages import audit as audit_pages
from atalaia.access.pages import keys as keys_pages
from atalaia.access.pages import people as people_pages
from atalaia.access.passwords import PasswordHasher
from atalaia.access.service.account import AccountService
from atalaia.access.service.audit import AuditService
from atalaia.access.service.cleaning import clean_up
from atalaia.access.service.keys import KeyService
from atalaia.access.service.links import LinkService, open_first_start
from atalaia.access.service.people import PeopleService
from atalaia.access.service.sign_in import SignInService
from atalaia.access.tables import metadata
from atalaia.core.clock import Clock
from atalaia.core.permissions import Permission
from atalaia.core.settings import Settings
from atalaia.core.translations import N_
from atalaia.sdk.contribution import Contribution, Found, Loop, NavItem, SearchSource
from atalaia.store.encryption import Sealer
from atalaia.store.store import Store

MIGRATIONS = Path(__file__).parent / "migrations"
KEY_USES_PERIOD_S = 60.0
CLEANING_PERIOD_S = 3600.0
_ROUTES = (
    *keys_api.ROUTES,
    *people_api.ROUTES,
    *audit_api.ROUTES,
    *sign_in.ROUTES,
    *links.ROUTES,
    *account.ROUTES,
    *people_pages.ROUTES,
    *keys_pages.ROUTES,
    *audit_pages.ROUTES,
)
_NAV = (
    NavItem("admin", N_("People"), people_pages.PEOPLE, Permission.PEOPLE_ADMIN, order=10),
    NavItem("admin", N_("API keys"), keys_pages.KEYS, Permission.KEYS_ADMIN, order=20),
    NavItem("admin", N_("Audit log"), audit_pages.AUDIT, Permission.AUDIT_READ, order=30),
)


@dataclass(frozen=True, slots=True)
class Access:
    """`first_start_address` gives the whole one-time address while there is no admin."""

    contribution: Contribution
    authenticator: Authenticator
    middleware: Callable[[ASGIApp], ASGIApp]
    first_start_address: Callable[[], Awaitable[str | None]]
    keys: KeyService
    people: PeopleService


def wire(
    *,
    store: Store,
    clock: Clock,
    settings: Settings,
    sealer: Sealer,
    public_url: str,
    can_mail: Callable[[], bool] = lambda: False,
) -> Access:
    options = AccessOptions(settings=settings, public_url=public_url, can_mail=can_mail)
    authenticator = Authenticator(store, clock=clock, limits=options.limits, cookies=lambda: options.cookies)
    hasher = PasswordHasher()
    keys, people = KeyService(store, clock=clock, forget=authenticator.forget), PeopleService(store, clock=clock)
    audit = AuditService(store)
    dependencies: dict[str, Any] = {
        "key_service": keys,
        "people_service": people,
        "audit_service": audit,
        "account_service": AccountService(store, hasher=hasher, sealer=sealer, clock=clock),
        "sign_in_service": SignInService(store, hasher=hasher, sealer=sealer, clock=clock),
        "link_service": LinkService(store, hasher=hasher, clock=clock, public_url=lambda: public_url),
        "access_options": options,
    }

    async def find_people(text: str, limit: int) -> list[Found]:
        found, _ = await people.page(cursor=None, limit=limit, text=text)
        return [
            Found(N_("Person"), person.name or person.email, f"{people_pages.PEOPLE}/{person.id}", person.email)
            for person in found
        ]

    async def clean() -> None:
        limits = options.limits()
        now = clock.now()
        await store.write(lambda tx: clean_up(tx, limits=limits, now=now))

    async def first_start_address() -> str | None:
        path = await store.write(lambda tx: open_first_start(tx, now=clock.now()))
        return options.address_of(path) if path else None

    async def stop() -> None:
        await authenticator.keep_uses()
        hasher.close()

    contribution = Contribution(
        name="access",
        audit_words=AUDIT_WORDS,
        routes=_ROUTES,
        dependencies={name: Provide(_giving(value), sync_to_thread=False) for name, value in dependencies.items()},
        loops=(
            Loop("key-uses", KEY_USES_PERIOD_S, authenticator.keep_uses, leader_only=False),
            Loop("access-cleaning", CLEANING_PERIOD_S, clean),
            _audit_loop(audit, options, clock),
        ),
        metadata=metadata,
        migrations=MIGRATIONS,
        nav=_NAV,
        searches=(SearchSource(Permission.PEOPLE_ADMIN, find_people),),
        settings=SETTINGS,
        stop=stop,
    )
    return Access(
        contribution=contribution,
        authenticator=authenticator,
        middleware=lambda app: Authentication(app, authenticator=authenticator, cookies=options.cookies),
        first_start_address=first_start_address,
        keys=keys,
        people=people,
    )


def _audit_loop(audit: AuditService, options: AccessOptions, clock: Clock) -> Loop:
    async def drop_old() -> None:
        await audit.drop_old(before=clock.now() - options.audit_kept)

    return Loop("audit-cleaning", CLEANING_PERIOD_S, drop_old)


def _giving(value: Any) -> Callable[[], Any]:
    return lambda: value
