"""Whose session a cookie names.

Those that are asked for while one question is under way go together in the next one: five hundred pages that ask for news
within a second cost a few reads of the store.
"""

import asyncio
from collections.abc import Sequence

from atalaia.access.model import Person, Session
from atalaia.access.queries import people as people_queries
from atalaia.access.queries import ways_in
from atalaia.sdk.transaction import Tx
from atalaia.store.store import Store

MOST_AT_ONCE = 500  # SQLite takes 32,766 values in a question; this keeps each one short

Found = tuple[Session, Person] | None


class SessionLookup:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._asked: dict[bytes, list[asyncio.Future[Found]]] = {}
        self._answering: asyncio.Task[None] | None = None

    async def find(self, sha256: bytes) -> Found:
        """As the store has it now: nothing is remembered. Raises: as Store.read."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Found] = loop.create_future()
        self._asked.setdefault(sha256, []).append(answer)
        if self._answering is None:
            self._answering = loop.create_task(self._answer())
        return await answer

    async def _answer(self) -> None:
        try:
            while self._asked:
                asked = {sha256: self._asked.pop(sha256) for sha256 in list(self._asked)[:MOST_AT_ONCE]}
                await self._answer_these(asked)
        finally:
            self._answering = None

    async def _answer_these(self, asked: dict[bytes, list[asyncio.Future[Found]]]) -> None:
        wanted = list(asked)
        try:
            found = await self._store.read(lambda tx: _look_up(tx, wanted))
        except Exception as error:  # noqa: BLE001 - it is raised to each who asked
            for waiting in asked.values():
                _settle(waiting, error)
            return
        for sha256, waiting in asked.items():
            _settle(waiting, found.get(sha256))


def _settle(waiting: Sequence["asyncio.Future[Found]"], answer: Found | Exception) -> None:
    for each in waiting:
        if each.done():  # who asked has left
            continue
        if isinstance(answer, Exception):
            each.set_exception(answer)
        else:
            each.set_result(answer)


def _look_up(tx: Tx, wanted: Sequence[bytes]) -> dict[bytes, tuple[Session, Person]]:
    sessions = ways_in.find_sessions(tx, wanted)
    people = people_queries.find_some(tx, sorted({each.person_id for each in sessions.values()}))
    return {
        sha256: (session, people[session.person_id])
        for sha256, session in sessions.items()
        if session.person_id in people
    }
