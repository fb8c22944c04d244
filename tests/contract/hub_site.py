"""A whole hub in this process, its pages asked by a signed-in person of some role."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import structlog

from atalaia.access.service.entering import Visitor, enter
from atalaia.access.service.people import create_person
from atalaia.app.hub import Hub
from atalaia.app.memory import building
from atalaia.app.options import HubOptions
from atalaia.core.clock import SystemClock
from atalaia.core.logging import configure_logging
from atalaia.core.permissions import SYSTEM, Role
from tests.contract.access_site import Browser
from tests.tables import copy_tables

Visit = Callable[[Hub, Browser], Awaitable[None]]


def visit_hub(data_dir: Path, visit: Visit, *, role: Role = Role.ADMIN) -> None:
    """Start no loops: what a visit needs, it does itself."""
    with _logging_as_before():
        _visit(data_dir, visit, role)


def _visit(data_dir: Path, visit: Visit, role: Role) -> None:
    copy_tables(data_dir)
    with building():
        hub = Hub(HubOptions(data_dir))
    now = SystemClock().now()
    person = hub.store.write_now(lambda tx: create_person(tx, SYSTEM, email="a@example.com", role=role, now=now))
    entered = hub.store.write_now(lambda tx: enter(tx, person, visitor=Visitor(address="192.0.2.7"), now=now))

    async def ask() -> None:
        transport = httpx.ASGITransport(app=hub.asgi, client=("192.0.2.7", 50000))
        cookies = {"atalaia_session": entered.session_token}
        async with httpx.AsyncClient(transport=transport, base_url=hub.public_url, cookies=cookies) as client:
            await visit(hub, Browser(client))

    try:
        asyncio.run(ask())
    finally:
        hub.store.close()
        hub._lock.release()


@contextmanager
def _logging_as_before() -> Iterator[None]:
    """A hub sets logging up for its process; afterwards no file of it is left open."""
    handlers, level = logging.root.handlers[:], logging.root.level
    try:
        yield
    finally:
        configure_logging()
        structlog.reset_defaults()
        logging.root.handlers[:] = handlers
        logging.root.setLevel(level)
