"""API keys: a new one works at once, a revoked one stops within a second, on every hub."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from atalaia.access.authenticator import presented_key
from atalaia.access.service.keys import create_key, find_key, revoke_key
from atalaia.core.errors import Conflict, Forbidden, InvalidField, NotFound, Unauthenticated
from atalaia.core.permissions import SYSTEM, Permission
from atalaia.store.opening import open_store
from atalaia.store.store import Store
from tests.conftest import MakeStore
from tests.fakes import FakeClock
from tests.store.access_hub import Hub, make_hub, run


@pytest.fixture
def migrated(make_store: MakeStore) -> Store:
    return make_store("access")


@pytest.fixture
def hub(migrated: Store, clock: FakeClock) -> Hub:
    return make_hub(migrated, clock)


@pytest.fixture
def other_process(migrated: Store, tmp_path: Path, database_url: str | None) -> Iterator[Store]:
    """A command on the same directory, or another hub on the same database: it shares nothing but the store."""
    assert migrated.dialect == ("postgresql" if database_url else "sqlite")
    with contextlib.closing(open_store(tmp_path, database_url=database_url)) as store:
        yield store


def bearer(value: str) -> list[tuple[bytes, bytes]]:
    return [(b"host", b"hub.example"), (b"authorization", b"Bearer " + value.encode())]


@pytest.mark.parametrize("header", ["x-api-key", "x-admin-key", "x-worker-key", "x-monitor-key", "x-cron-secret"])
def test_keys_travel_in_every_header_that_clients_send_today(header: str) -> None:
    assert presented_key([(header.encode(), b"abc")]) == b"abc"


def test_other_kinds_of_authorization_are_no_keys() -> None:
    assert presented_key([(b"authorization", b"Basic YTpi"), (b"accept", b"*/*")]) is None
    assert presented_key([(b"authorization", b"bearer abc ")]) == b"abc"


def test_a_key_made_by_another_process_works_at_once(hub: Hub, other_process: Store) -> None:
    made = other_process.write_now(
        lambda tx: create_key(tx, SYSTEM, name="agent", scopes=["agent"], now=hub.clock.now())
    )
    found = run(lambda: hub.authenticator.find_key_principal(bearer(made.value)))
    assert (found.id, found.kind, found.name, found.scopes) == (made.key.id, "key", "agent", frozenset({"agent"}))
    assert found.may(Permission.AGENT_WORK)
    assert not found.may(Permission.CHECKS_READ)


def test_a_remembered_key_asks_nobody(hub: Hub) -> None:
    async def twice() -> tuple[object, object]:
        made = await hub.keys.create(SYSTEM, name="a", scopes=["read"])
        hub.clock.advance(0.01)
        assert hub.authenticator.key_principal(bearer(made.value)) is None
        found = await hub.authenticator.find_key_principal(bearer(made.value))
        return found, hub.authenticator.key_principal(bearer(made.value))

    found, remembered = run(twice)
    assert remembered is found


def test_a_revoked_key_stops_at_once_in_this_hub(hub: Hub) -> None:
    async def revoke() -> None:
        made = await hub.keys.create(SYSTEM, name="a", scopes=["read"])
        hub.clock.advance(0.01)
        await hub.authenticator.find_key_principal(bearer(made.value))
        hub.clock.advance(0.01)
        await hub.keys.revoke(SYSTEM, made.key.id)
        with pytest.raises(Unauthenticated):
            await hub.authenticator.find_key_principal(bearer(made.value))

    run(revoke)


def test_a_key_revoked_by_another_process_stops_within_a_second_however_busy(hub: Hub, other_process: Store) -> None:
    async def use_on() -> float:
        made = await hub.keys.create(SYSTEM, name="a", scopes=["read"])
        hub.clock.advance(0.01)
        await hub.authenticator.find_key_principal(bearer(made.value))
        now = hub.clock.now()
        await asyncio.to_thread(other_process.write_now, lambda tx: revoke_key(tx, SYSTEM, made.key.id, now=now))
        for hundredths in range(200):
            hub.clock.advance(0.01)
            try:
                await hub.authenticator.find_key_principal(bearer(made.value))
            except Unauthenticated:
                return hundredths / 100
        raise AssertionError("still valid after two seconds")

    assert run(use_on) <= 1


def test_other_keys_go_on_working_when_one_is_revoked(hub: Hub) -> None:
    async def revoke() -> str:
        one = await hub.keys.create(SYSTEM, name="one", scopes=["read"])
        two = await hub.keys.create(SYSTEM, name="two", scopes=["read"])
        await hub.keys.revoke(SYSTEM, one.key.id)
        hub.clock.advance(0.01)
        return (await hub.authenticator.find_key_principal(bearer(two.value))).name

    assert run(revoke) == "two"


def test_a_key_expires_even_while_it_is_remembered(hub: Hub) -> None:
    async def expire() -> None:
        expires_at = hub.clock.now() + timedelta(seconds=0.5)
        made = await hub.keys.create(SYSTEM, name="a", scopes=["read"], expires_at=expires_at)
        hub.clock.advance(0.3)
        await hub.authenticator.find_key_principal(bearer(made.value))
        hub.clock.advance(0.2)
        with pytest.raises(Unauthenticated):
            await hub.authenticator.find_key_principal(bearer(made.value))

    run(expire)


def test_a_missing_scope_is_forbidden_and_no_key_is_unauthenticated(hub: Hub) -> None:
    async def ask() -> None:
        made = await hub.keys.create(SYSTEM, name="a", scopes=["ingest"])
        scope = {"headers": bearer(made.value)}
        assert (await hub.authenticator.require_key(scope, Permission.PINGS_WRITE)).name == "a"
        with pytest.raises(Forbidden):
            await hub.authenticator.require_key(scope, Permission.CHECKS_READ)
        for headers in ([], bearer("ata_wrong"), bearer("é")):
            with pytest.raises(Unauthenticated):
                await hub.authenticator.require_key({"headers": headers}, Permission.PINGS_WRITE)

    run(ask)


def test_only_the_hash_of_a_key_is_in_the_store(hub: Hub) -> None:
    made = run(lambda: hub.keys.create(SYSTEM, name="a", scopes=["read"]))
    for table in ("api_keys", "audit"):
        rows = hub.store.read_now(lambda tx, table=table: tx.raw(f"SELECT * FROM {table}"))  # type: ignore[misc]
        assert made.value not in str(rows)
    assert made.value not in repr(made)


def test_a_key_in_use_elsewhere_is_taken_over_once(hub: Hub) -> None:
    async def adopt() -> None:
        value = "a-key-that-n8n-has-been-using-since-2023"
        made = await hub.keys.create(SYSTEM, name="n8n", scopes=["signal:close"], value=value)
        assert (made.value, made.is_weak) == (value, False)
        assert (await hub.authenticator.find_key_principal([(b"x-cron-secret", value.encode())])).name == "n8n"
        with pytest.raises(Conflict):
            await hub.keys.create(SYSTEM, name="again", scopes=["read"], value=value)

    run(adopt)


@pytest.mark.parametrize(
    ("name", "scopes", "field"),
    [("", ["read"], "name"), ("a", [], "scopes"), ("a", ["raed"], "scopes"), ("a", ["signal:"], "scopes")],
)
def test_a_wrong_key_names_the_field(hub: Hub, name: str, scopes: list[str], field: str) -> None:
    with pytest.raises(InvalidField) as refused:
        run(lambda: hub.keys.create(SYSTEM, name=name, scopes=scopes))
    assert refused.value.field == field


def test_a_mistyped_scope_is_answered_with_the_nearest_one(hub: Hub) -> None:
    with pytest.raises(InvalidField) as refused:
        run(lambda: hub.keys.create(SYSTEM, name="a", scopes=["raed"]))
    assert refused.value.hint == "read?"


def test_keys_are_listed_newest_first_in_pages_with_their_last_use(hub: Hub) -> None:
    async def listed() -> tuple[list[str], list[datetime | None]]:
        for number in range(5):
            made = await hub.keys.create(SYSTEM, name=f"k{number}", scopes=["read"])
            await asyncio.sleep(0.002)  # ids of one millisecond have no order
        hub.clock.advance(0.01)
        await hub.authenticator.find_key_principal(bearer(made.value))
        await hub.authenticator.keep_uses()
        names: list[str] = []
        uses: list[datetime | None] = []
        cursor = None
        while True:
            page, cursor = await hub.keys.page(cursor=cursor, limit=2)
            names += [key.name for key in page]
            uses += [key.used_at for key in page]
            if cursor is None:
                return names, uses

    names, uses = run(listed)
    assert names == ["k4", "k3", "k2", "k1", "k0"]
    assert uses == [hub.clock.now(), None, None, None, None]


def test_a_key_is_found_as_people_type_it(hub: Hub) -> None:
    find: Callable[[str], str] = lambda text: hub.store.read_now(lambda tx: find_key(tx, text)).id  # noqa: E731
    made = run(lambda: hub.keys.create(SYSTEM, name="backup", scopes=["read"]))
    assert find(made.key.id) == find("backup") == find(made.key.prefix) == made.key.id
    with pytest.raises(NotFound):
        find("nothing")
    run(lambda: hub.keys.create(SYSTEM, name="backup", scopes=["read"]))
    with pytest.raises(Conflict):
        find("backup")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": "a\0b"}, "name"),
        ({"scopes": ["signal:a\0b"]}, "scopes"),
        ({"expires_at": datetime(2030, 1, 1)}, "expires_at"),  # noqa: DTZ001 - as JSON without a zone gives it
    ],
)
def test_what_can_not_be_kept_of_a_key_is_refused_by_its_field(hub: Hub, fields: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidField) as refused:
        run(lambda: hub.keys.create(SYSTEM, **{"name": "a", "scopes": ["read"], **fields}))
    assert refused.value.field == field
