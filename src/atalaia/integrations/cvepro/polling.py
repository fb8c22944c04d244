"""When the lists are read: by the leader alone, each at its own pace, however many people look.

A reading runs beside the loop, which goes on to judge how long it has failed: a cloud that does not answer at all delays
no alert.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

import structlog

from atalaia.core.errors import AtalaiaError
from atalaia.integrations.cvepro.manifest import is_configured
from atalaia.integrations.cvepro.model.feeds import CHARGERS, SESSIONS, Feed
from atalaia.integrations.cvepro.queries.chargers import feed
from atalaia.integrations.cvepro.reading import Reading, was_not_asked
from atalaia.integrations.cvepro.standing import Standing
from atalaia.sdk.contribution import Loop
from atalaia.sdk.failures import TemporaryFailure
from atalaia.sdk.integration import Host

LOOK_S: Final = 0.2
_LEAST_WAIT_S: Final = 0.2

log = structlog.get_logger()


class Turn:
    """One list: when it is due, the reading that is under way, and how it stands as far as this process knows."""

    def __init__(self, name: str, read: Callable[[], Awaitable[Feed]], *, every: str) -> None:
        self.name = name
        self.read = read
        self.every = every  # the setting
        self.due_at = 0.0  # monotonic
        self.task: asyncio.Task[None] | None = None
        self.feed: Feed | None = None  # not known before the first look
        self.is_told = False

    @property
    def is_failing(self) -> bool:
        return self.feed is not None and self.feed.is_stale

    @property
    def is_well(self) -> bool:
        return self.feed is not None and self.feed.good_at is not None and not self.feed.is_stale


class Polling:
    def __init__(self, host: Host, reading: Reading, standing: Standing) -> None:
        self._host = host
        self._reading = reading
        self._standing = standing
        self._chargers = Turn(CHARGERS, reading.chargers, every="poll_s")
        self._sessions = Turn(SESSIONS, reading.sessions, every="sessions_every_s")
        self._turns = (self._chargers, self._sessions)

    @property
    def is_well(self) -> bool:
        return self._chargers.is_well and not self._sessions.is_failing

    def loop(self) -> Loop:
        return Loop("cvepro_reading", LOOK_S, self.look)

    async def look(self) -> None:
        if not is_configured(self._host.setting):
            return
        for turn in self._turns:
            if turn.feed is None:
                turn.feed = await self._host.read(partial(feed, name=turn.name))
            await self._end(turn)
        self._begin(self._chargers)
        if self._chargers.is_well:  # else the sessions would only fail besides
            self._begin(self._sessions)
        await self._judge()

    async def stop(self) -> None:
        tasks = [turn.task for turn in self._turns if turn.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _begin(self, turn: Turn) -> None:
        now = self._host.clock.monotonic()
        if turn.task is None and now >= turn.due_at:
            turn.due_at = now + float(self._host.setting(turn.every))
            turn.task = asyncio.create_task(self._read(turn), name=f"cvepro {turn.name}")

    async def _end(self, turn: Turn) -> None:
        """What a reading raised that is no failure of the cloud's is raised here, for the supervisor."""
        if turn.task is not None and turn.task.done():
            task, turn.task = turn.task, None
            await task

    async def _read(self, turn: Turn) -> None:
        try:
            turn_feed = await turn.read()
        except AtalaiaError as error:
            await self._failed(turn, error)
            return
        if turn.is_failing:
            log.warning("cvepro_back", list=turn.name)
            self._sessions.due_at = 0.0
        turn.feed, turn.is_told = turn_feed, False
        if turn is self._chargers:
            self._standing.note(is_failing=False)

    async def _failed(self, turn: Turn, error: AtalaiaError) -> None:
        if not turn.is_failing:
            log.warning("cvepro_unavailable", list=turn.name, reason=str(error))
        if turn is self._chargers:
            self._standing.note(is_failing=True)
        turn.feed = await self._reading.failed(turn.name, error)
        if isinstance(error, TemporaryFailure) and was_not_asked(error):  # the next turn is when that is over
            wait_s = max(_LEAST_WAIT_S, error.retry_after_s or 0.0)
            turn.due_at = min(turn.due_at, self._host.clock.monotonic() + wait_s)

    async def _judge(self) -> None:
        """While not even the chargers can be read, the sessions are no trouble of their own."""
        turn = self._chargers if self._chargers.is_failing else self._sessions
        after_s = float(self._host.setting("alert_after_s"))
        if turn.feed is None or turn.is_told or not turn.feed.is_outage(now=self._host.clock.now(), after_s=after_s):
            return
        await self._reading.judge(turn.name)
        turn.is_told = True
