"""A hub of access and captures, with one upstream that has two built-in templates."""

from typing import Any

import msgspec

from atalaia.captures.events import TemplatesChanged
from atalaia.captures.model.templates import FrameSource
from atalaia.captures.service import CapturesService
from atalaia.core.permissions import Permission, Principal
from atalaia.sdk.fidelity import Template
from atalaia.store.store import Store
from tests.conftest import MakeStore
from tests.fakes import FakeClock
from tests.unit.captures.recorded import frame, har, login_entry, message, socket_entry

ANA = Principal(id="p1", kind="person", name="Ana", permissions=frozenset(Permission))
UPSTREAM = "fleet"


def built_in(name: str, parameters: str = "", variant: str = "") -> Template:

    made = Template.from_sample(frame(name, parameters))
    return msgspec.structs.replace(made, version=0, variant=variant)


SOURCE = FrameSource(
    "Fleet",
    variables=("client_id",),
    built_in=(
        built_in("review", '"client_id":"1",'),
        built_in("associate", '"client_id":"1","tag":"loading_screen",', variant="open"),
        built_in("associate", '"client_id":"1","setting":"9",', variant="setting"),
    ),
)


def make_captures(make_store: MakeStore, clock: FakeClock) -> tuple[Store, CapturesService, list[TemplatesChanged]]:
    """The store, the service, and the events that it told."""
    store = make_store("access", "captures")
    told: list[TemplatesChanged] = []
    store.on(TemplatesChanged, lambda tx, event: tx.after_commit(lambda: told.append(event)))
    return store, CapturesService(store, clock=clock, sources=lambda: {UPSTREAM: SOURCE}), told


def recorded(*texts: str) -> bytes:
    return har(login_entry(), socket_entry([message(text, time=1732270000 + n) for n, text in enumerate(texts)]))


def whole_database(store: Store) -> str:
    """Everything that the store has, as text."""

    def unit(tx: Any) -> str:
        if store.dialect == "sqlite":
            names = [row[0] for row in tx.raw("SELECT name FROM sqlite_master WHERE type = 'table'")]
        else:
            names = [row[0] for row in tx.raw("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
        return "".join(
            str([[_plain(cell) for cell in row] for row in tx.raw(f'SELECT * FROM "{name}"')]) for name in names
        )

    return store.read_now(unit)


def _plain(cell: Any) -> Any:
    return bytes(cell).decode("utf-8", "replace") if isinstance(cell, bytes | memoryview) else cell
