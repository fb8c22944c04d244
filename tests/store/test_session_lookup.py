"""Whose session it is: one question for many who ask at once, and each gets their own."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import pytest

from atalaia.access.credentials import make_token
from atalaia.access.model import Person
from atalaia.access.queries import people, ways_in
from atalaia.access.service.people import create_person
from atalaia.access.session_lookup import SessionLookup
from atalaia.core.permissions import SYSTEM, Role
from atalaia.sdk.transaction import Tx
from atalaia.store.store import Store
from tests.conftest import MakeStore

T = TypeVar("T")
NOW = datetime(2026, 3, 1, tzinfo=UTC)
PEOPLE, SESSIONS = 7, 60


@pytest.fixture
def store(make_store: MakeStore) -> Store:
    return make_store("access")


class Counting:
    """The store, and how often it was read."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.reads = 0
        self.fails = False

    async def read(self, unit: Callable[[Tx], T]) -> T:
        self.reads += 1
        if self.fails:
            raise LookupError("away")
        return await self._store.read(unit)


def signed_in(tx: Tx) -> dict[bytes, str]:
    """The name of each session's person."""
    found = {}
    for number in range(SESSIONS):
        email = f"p{number % PEOPLE}@example.org"
        person = _person(tx, email) if number >= PEOPLE else None
        person = person or create_person(
            tx, SYSTEM, email=email, name=email, role=Role.CLIENT, password_hash=None, now=NOW
        )
        _, sha256 = make_token()
        ways_in.add_session(tx, sha256, person_id=person.id, address="-", user_agent="", now=NOW)
        found[sha256] = email
    return found


def _person(tx: Tx, email: str) -> Person | None:

    return people.find_by_email(tx, email)


def lookup(store: Store) -> tuple[SessionLookup, Counting]:
    counting: Any = Counting(store)
    return SessionLookup(counting), counting


def test_many_who_ask_at_once_are_a_few_questions_and_each_gets_their_own(store: Store) -> None:
    sessions = store.write_now(signed_in)

    async def ask() -> tuple[list[Any], int]:
        finding, counting = lookup(store)
        return await asyncio.gather(*(finding.find(each) for each in sessions)), counting.reads

    found, reads = asyncio.run(ask())
    assert [person.email for _, person in found] == list(sessions.values())
    assert reads <= 2


def test_one_that_is_not_there_or_has_ended_is_nobodys(store: Store) -> None:
    sessions = store.write_now(signed_in)
    gone = next(iter(sessions))

    def end(tx: Tx) -> bool:
        found = ways_in.find_sessions(tx, [gone])[gone]
        return ways_in.end_session(tx, found.id, person_id=found.person_id)

    async def ask() -> list[Any]:
        finding, _ = lookup(store)
        before = await finding.find(gone)
        await store.write(end)
        return [before, *await asyncio.gather(finding.find(gone), finding.find(b"x" * 32))]

    before, *after = asyncio.run(ask())
    assert before is not None
    assert after == [None, None]


def test_a_store_that_is_away_is_said_to_each_and_the_next_question_is_asked(store: Store) -> None:
    sessions = list(store.write_now(signed_in))[:3]

    async def ask() -> tuple[list[Any], Any]:
        finding, counting = lookup(store)
        counting.fails = True
        failed = await asyncio.gather(*(finding.find(each) for each in sessions), return_exceptions=True)
        counting.fails = False
        return failed, await finding.find(sessions[0])

    failed, found = asyncio.run(ask())
    assert [type(each) for each in failed] == [LookupError] * 3
    assert found is not None


def test_one_who_leaves_keeps_nobody_else_waiting(store: Store) -> None:
    sessions = list(store.write_now(signed_in))[:2]

    async def ask() -> Any:
        finding, _ = lookup(store)
        first, second = (asyncio.ensure_future(finding.find(each)) for each in sessions)
        await asyncio.sleep(0)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        return await second

    assert asyncio.run(ask()) is not None
