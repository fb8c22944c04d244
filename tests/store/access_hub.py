"""What the tests of access share: its services on a store, with quick hashes and a clock to hold."""

import asyncio
import base64
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import pyotp
import pytest

from atalaia.access.authenticator import Authenticator
from atalaia.access.cookies import CookieNames
from atalaia.access.events import PasswordLinkAsked
from atalaia.access.model import Person
from atalaia.access.passwords import PasswordHasher
from atalaia.access.service.account import AccountService
from atalaia.access.service.audit import AuditService
from atalaia.access.service.entering import Entered, Visitor
from atalaia.access.service.keys import KeyService
from atalaia.access.service.links import LinkService
from atalaia.access.service.people import PeopleService, create_person
from atalaia.access.service.sign_in import SignInService
from atalaia.access.sessions import SessionLimits
from atalaia.core.errors import Unauthenticated
from atalaia.core.permissions import SYSTEM, Principal, Role
from atalaia.store.encryption import Sealer
from atalaia.store.store import Store
from tests.fakes import FakeClock

T = TypeVar("T")
PASSWORD = "três tigres tristes"
EMAIL = "ana@example.com"
WRONG = "not the password"
HOME = Visitor(address="192.0.2.7", user_agent="Firefox")


@dataclass
class Hub:
    store: Store
    clock: FakeClock
    hasher: PasswordHasher
    sign_in: SignInService
    links: LinkService
    people: PeopleService
    account: AccountService
    keys: KeyService
    audit: AuditService
    authenticator: Authenticator
    told: list[PasswordLinkAsked]

    def add(self, email: str = EMAIL, role: Role = Role.AGENT, password: str | None = PASSWORD) -> Person:
        password_hash = self.hasher.hash(password) if password else None
        return self.store.write_now(
            lambda tx: create_person(
                tx, SYSTEM, email=email, role=role, password_hash=password_hash, now=self.clock.now()
            )
        )

    async def enter(self, email: str = EMAIL, visitor: Visitor = HOME) -> Entered:
        entered = await self.sign_in.sign_in(email, PASSWORD, visitor=visitor)
        assert isinstance(entered, Entered)
        return entered

    async def who(self, entered: Entered) -> Principal | None:
        """Who the hub takes the browser for."""
        cookie = f"atalaia_session={entered.session_token}".encode()
        state: dict[str, object] = {"client": HOME.address}
        await self.authenticator.identify({"headers": [(b"cookie", cookie)], "state": state})
        found = state["principal"]
        assert found is None or isinstance(found, Principal)
        return found


def make_hub(store: Store, clock: FakeClock) -> Hub:
    hasher = PasswordHasher(memory_kib=64, passes=1)
    sealer = Sealer([base64.b64decode("x" * 43 + "=")])
    told: list[PasswordLinkAsked] = []
    store.on(PasswordLinkAsked, lambda _tx, event: told.append(event))
    authenticator = Authenticator(
        store, clock=clock, limits=SessionLimits, cookies=lambda: CookieNames(is_secure=False)
    )
    return Hub(
        store=store,
        clock=clock,
        hasher=hasher,
        sign_in=SignInService(store, hasher=hasher, sealer=sealer, clock=clock),
        links=LinkService(store, hasher=hasher, clock=clock, public_url=lambda: "https://hub.example/"),
        people=PeopleService(store, clock=clock),
        account=AccountService(store, hasher=hasher, sealer=sealer, clock=clock),
        keys=KeyService(store, clock=clock, forget=authenticator.forget),
        audit=AuditService(store),
        authenticator=authenticator,
        told=told,
    )


def run(work: Callable[[], Awaitable[T]]) -> T:
    async def call() -> T:
        return await work()

    return asyncio.run(call())


async def fail(hub: Hub, times: int, *, email: str = EMAIL, visitor: Visitor = HOME) -> None:
    for _ in range(times):
        with pytest.raises(Unauthenticated):
            await hub.sign_in.sign_in(email, WRONG, visitor=visitor)


async def enrol(hub: Hub) -> tuple[pyotp.TOTP, list[str], Principal]:
    me = await hub.who(await hub.enter())
    assert me is not None
    otp = pyotp.TOTP((await hub.account.begin_second_factor(me)).secret)
    codes = await hub.account.confirm_second_factor(me, otp.at(hub.clock.now()), address=None)
    hub.clock.advance(60)
    return otp, codes, me
