"""Every route names its permission, and keeps it: all routes are asked as every role, as nobody, and with keys.

A route that forgets its guard is found by the first test; one whose guard says something else than the answer, by the rest.
"""

import asyncio
import re
import warnings
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from litestar import Litestar
from litestar.routes import HTTPRoute

from atalaia.access.guards import requires
from atalaia.access.service.entering import Visitor, enter
from atalaia.access.service.keys import create_key
from atalaia.access.service.people import create_person
from atalaia.app.hub import Hub
from atalaia.app.options import HubOptions
from atalaia.core.clock import SystemClock
from atalaia.core.permissions import ROLE_PERMISSIONS, SCOPE_PERMISSIONS, SYSTEM, Permission, Role
from atalaia.sdk.contribution import HotRoute
from atalaia.sdk.transaction import Tx

# Of the framework and of the layout: no data of anybody. The live stream answers 401 by itself, see the last test.
OPEN = re.compile(r"^/(static|openapi|openapi\.json|events)(/|$)")
ELSEWHERE = ("192.0.2.7", 50000)
FOR_SIGNING_IN = [role for role in Role if role is not Role.MACHINE]


@dataclass(frozen=True)
class Route:
    method: str
    path: str
    permission: Permission

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@pytest.fixture(scope="module")
def making(tmp_path_factory: pytest.TempPathFactory) -> tuple[Hub, list[str]]:
    """A hub, and what the framework warned of while it was made: the last test's business, not that of the others."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        made = Hub(HubOptions(tmp_path_factory.mktemp("hub")))
    return made, [str(warning.message) for warning in caught]


@pytest.fixture(scope="module")
def hub(making: tuple[Hub, list[str]]) -> Iterator[Hub]:
    made = making[0]
    yield made
    made.store.close()
    made._lock.release()


def framework_of(hub: Hub) -> Litestar:
    application: Any = hub.asgi._app
    assert isinstance(application, Litestar)
    return application


def guards_of(hub: Hub) -> Iterator[tuple[str, str, list[Any]]]:
    for route in framework_of(hub).routes:
        if isinstance(route, HTTPRoute):
            for handler in route.route_handlers:
                for method in sorted(handler.http_methods - {"OPTIONS"}):
                    yield (
                        str(method),
                        route.path_format,
                        [g for g in handler.resolve_guards() if isinstance(_own(g), requires)],
                    )


def _own(guard: Any) -> Any:
    """The guard as it was declared; the framework may have put it into a wrapper."""
    return getattr(guard, "func", guard)


def routes_of(hub: Hub) -> list[Route]:
    return [
        Route(method, re.sub(r"\{[^}]+\}", "0190a000-0000-7000-8000-000000000000", path), _own(guards[0]).permission)
        for method, path, guards in guards_of(hub)
        if guards
    ]


def hot_routes_of(hub: Hub) -> list[HotRoute]:
    return [route for part in hub.contributions for route in part.hot_routes]


def test_every_route_names_one_permission(hub: Hub) -> None:
    wrong = [f"{method} {path}" for method, path, guards in guards_of(hub) if len(guards) != 1 and not OPEN.match(path)]
    assert wrong == []
    assert len(routes_of(hub)) > 30


def test_every_permission_is_had_by_somebody() -> None:
    """One that no role and no scope has would be a route that nobody can use."""
    had = frozenset().union(*ROLE_PERMISSIONS.values(), *SCOPE_PERMISSIONS.values())
    assert set(Permission) - had == set()


def ask(hub: Hub, work: Callable[[httpx.AsyncClient], Awaitable[None]]) -> None:
    async def call() -> None:
        transport = httpx.ASGITransport(app=hub.asgi, client=ELSEWHERE, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=hub.public_url) as client:
            await work(client)

    asyncio.run(call())


def is_page(route: Route) -> bool:
    return not route.path.startswith("/api/")


def test_nobody_gets_401_from_the_api_and_is_sent_to_sign_in_by_pages(hub: Hub) -> None:
    async def walk(client: httpx.AsyncClient) -> None:
        for route in routes_of(hub):
            answer = await client.request(route.method, route.path, headers={"accept": "text/html"})
            if route.permission is Permission.PUBLIC:
                assert answer.status_code not in {401, 500}, route
            elif is_page(route) and route.method == "GET":
                assert (answer.status_code, answer.headers["location"][:13]) == (303, "/sign-in?next"), route
            else:
                assert answer.status_code == 401, route

    ask(hub, walk)


@pytest.mark.parametrize("role", FOR_SIGNING_IN)
def test_each_role_is_allowed_what_the_table_says_and_nothing_else(hub: Hub, role: Role) -> None:
    def person(tx: Tx) -> Any:
        return create_person(tx, SYSTEM, email=f"{role}@example.com", role=role, now=SystemClock().now())

    someone = hub.store.write_now(person)
    allowed = ROLE_PERMISSIONS[role]

    async def walk(client: httpx.AsyncClient) -> None:
        for route in routes_of(hub):
            # A session for each request: signing out is among what is asked.
            entered = hub.store.write_now(
                lambda tx: enter(tx, someone, visitor=Visitor(address="192.0.2.7"), now=SystemClock().now())
            )
            headers = {"cookie": f"atalaia_session={entered.session_token}", "accept": "application/json"}
            answer = await client.request(route.method, route.path, headers=headers)
            if route.permission not in allowed:
                assert (answer.status_code, code_of(answer)) == (403, "forbidden"), route
            elif route.method == "GET":
                assert answer.status_code not in {401, 403}, route
            else:  # let in by the guard, then refused for want of the form's proof: nothing was changed
                assert (answer.status_code, code_of(answer)) == (403, "csrf"), route

    ask(hub, walk)


@pytest.mark.parametrize("scope", sorted(SCOPE_PERMISSIONS))
def test_each_scope_is_allowed_what_the_table_says_and_nothing_else(hub: Hub, scope: str) -> None:
    made = hub.store.write_now(lambda tx: create_key(tx, SYSTEM, name=scope, scopes=[scope], now=SystemClock().now()))
    allowed = SCOPE_PERMISSIONS[scope] | {Permission.PUBLIC}

    async def walk(client: httpx.AsyncClient) -> None:
        headers = {"x-api-key": made.value, "accept": "application/json"}
        for route in routes_of(hub):
            if route.permission not in allowed:
                answer = await client.request(route.method, route.path, headers=headers)
                assert (answer.status_code, code_of(answer)) == (403, "forbidden"), route
            elif route.method == "GET":
                answer = await client.request(route.method, route.path, headers=headers)
                assert answer.status_code not in {401, 403}, route
        for hot in hot_routes_of(hub):
            if hot.permission not in allowed:
                answer = await client.post(hot.path, headers=headers, content=b"{}")
                assert answer.status_code in {403, 405}, hot.path

    ask(hub, walk)


def test_hot_routes_refuse_nobody_and_wrong_keys(hub: Hub) -> None:
    async def walk(client: httpx.AsyncClient) -> None:
        for hot in hot_routes_of(hub):
            if hot.permission is not Permission.PUBLIC:
                for headers in ({}, {"x-api-key": "wrong-key-wrong-key-wrong-key-wrong"}):
                    for method in ("GET", "POST"):
                        answer = await client.request(method, hot.path, headers=headers, content=b"{}")
                        assert answer.status_code in {401, 405}, f"{method} {hot.path}"

    ask(hub, walk)


def test_the_live_stream_is_for_whoever_is_signed_in(hub: Hub) -> None:
    async def listen(client: httpx.AsyncClient) -> None:
        assert (await client.get("/events")).status_code == 401

    ask(hub, listen)


def test_routes_are_written_in_the_frameworks_present_form(making: tuple[Hub, list[str]]) -> None:
    """A guard that its next version no longer runs would open a route."""
    assert making[1] == []


def code_of(answer: httpx.Response) -> str:
    return str(answer.json()["error"]["code"]) if answer.headers.get("content-type") == "application/json" else ""
