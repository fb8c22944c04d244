"""When the lists are read: by the leader alone, each at its own pace, however many people look; sooner where the doorbell rings.

A reading runs beside the loop, which goes on to judge how long it has failed: a cloud that does not answer at all delays
no alert.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import structlog

from atalaia.core.errors import AtalaiaError
from atalaia.core.translations import N_
from atalaia.integrations.cvepro.cloud.offered import Offered, is_not_offered
from atalaia.integrations.cvepro.cloud.reading import Reading, was_not_asked
from atalaia.integrations.cvepro.cloud.standing import Standing
from atalaia.integrations.cvepro.manifest import is_configured
from atalaia.integrations.cvepro.model.feeds import ACTIVE, CHARGERS, SESSIONS, TAGS, Feed
from atalaia.integrations.cvepro.queries.chargers import feed
from atalaia.sdk.contribution import Loop
from atalaia.sdk.failures import PermanentFailure, TemporaryFailure
from atalaia.sdk.integration import Host

LOOK_S: Final = 0.2
_LEAST_WAIT_S: Final = 0.2
_LEAST_HANG_S: Final = 3.0
_ASK_AGAIN_S: Final = 3600.0  # for what the account did not offer
# However often the doorbell rings, no list is read twice within this time.
BELL_S: Final = 2.0
_SESSIONS_BELL_S: Final = 10.0

log = structlog.get_logger()


class Turn:
    """One list: when it is due, the reading that is under way, and how it stands as far as this process knows."""

    def __init__(
        self,
        name: str,
        read: Callable[[], Awaitable[Feed]],
        *,
        every: str,
        bell_s: float | None = None,
        path: str = "",
    ) -> None:
        self.name = name
        self.read = read
        self.every = every  # the setting
        self.path = path  # the setting of one that an account may offer; where that is empty, nobody asks
        self.bell_s = bell_s
        self.asked: str | None = None
        self.due_at = 0.0  # monotonic
        self.begun_at = float("-inf")
        self.asked_at: datetime | None = None  # as `begun_at`, by the clock on the wall
        self.task: asyncio.Task[None] | None = None
        self.feed: Feed | None = None  # not known before the first look
        self.is_told = False

    @property
    def is_failing(self) -> bool:
        return self.feed is not None and self.feed.is_stale

    @property
    def is_well(self) -> bool:
        return self.feed is not None and self.feed.is_well

    def ring(self) -> None:
        if self.bell_s is not None and not (self.feed is not None and self.feed.is_refused):
            self.due_at = min(self.due_at, self.begun_at + self.bell_s)


class Polling:
    def __init__(self, host: Host, reading: Reading, offered: Offered, standing: Standing) -> None:
        self._host = host
        self._reading = reading
        self._offered = offered
        self._standing = standing
        self._chargers = Turn(CHARGERS, reading.chargers, every="poll_s", bell_s=BELL_S)
        self._sessions = Turn(SESSIONS, reading.sessions, every="sessions_every_s", bell_s=_SESSIONS_BELL_S)
        active = Turn(ACTIVE, offered.active, every="active_every_s", bell_s=BELL_S, path="active_path")
        tags = Turn(TAGS, offered.tags, every="tags_every_s", path="tags_path")
        self._besides = (active, tags)
        self._back_at: datetime | None = None  # when the chargers could last be read again
        self._turns = (self._chargers, self._sessions, *self._besides)

    @property
    def is_well(self) -> bool:
        return self._chargers.is_well and not self._sessions.is_failing

    def loop(self) -> Loop:
        return Loop("cvepro_reading", LOOK_S, self.look)

    def ring(self) -> None:
        """Something has changed there: read now, and not when the next turn is."""
        for turn in self._turns:
            turn.ring()

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
            await self._begin_besides()
        await self._judge()

    async def stop(self) -> None:
        tasks = [turn.task for turn in self._turns if turn.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _begin(self, turn: Turn) -> None:
        now = self._host.clock.monotonic()
        if turn.task is None and now >= turn.due_at:
            turn.begun_at, turn.due_at = now, now + float(self._host.setting(turn.every))
            turn.asked_at = self._host.clock.now()
            turn.task = asyncio.create_task(self._read(turn), name=f"cvepro {turn.name}")

    async def _begin_besides(self) -> None:
        """One after the other while some fail: too many failures in a row would keep the chargers from being read."""
        is_any_failing = self._sessions.is_failing
        for turn in self._besides:
            path = str(self._host.setting(turn.path)).strip().strip("/")
            if path != turn.asked and turn.task is None:
                turn.asked, turn.due_at = path, 0.0
                if not path and turn.feed != Feed(name=turn.name):
                    turn.feed = await self._offered.forget(turn.name)
            if path and not is_any_failing:
                self._begin(turn)
            is_any_failing = is_any_failing or turn.is_failing

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
            if turn is self._chargers:
                self._back_at = self._host.clock.now()
        turn.feed, turn.is_told = turn_feed, False
        if turn is self._chargers:
            self._standing.note(is_failing=False)

    async def _failed(self, turn: Turn, error: AtalaiaError) -> None:
        if turn.path and isinstance(error, PermanentFailure) and is_not_offered(turn.feed, error):
            log.info("cvepro_not_offered", list=turn.name, reason=str(error))
            turn.feed = await self._offered.refused(turn.name, error)
            turn.due_at = self._host.clock.monotonic() + _ASK_AGAIN_S
            return
        if not turn.is_failing:
            log.warning("cvepro_unavailable", list=turn.name, reason=str(error))
        if turn is self._chargers:
            self._standing.note(is_failing=True)
        turn.feed = await self._reading.failed(turn.name, error, since=turn.asked_at)
        if turn.path:  # between two failures of its own the chargers are read at least once
            turn.due_at = max(turn.due_at, self._host.clock.monotonic() + 2 * float(self._host.setting("poll_s")))
        elif isinstance(error, TemporaryFailure) and was_not_asked(error):  # the next turn is when that is over
            wait_s = max(_LEAST_WAIT_S, error.retry_after_s or 0.0)
            turn.due_at = min(turn.due_at, self._host.clock.monotonic() + wait_s)

    def _hangs(self, turn: Turn, after_s: float) -> bool:
        if turn.task is None or turn.task.done() or turn.is_failing:
            return False
        most_s = max(after_s, float(self._host.setting("poll_s")), _LEAST_HANG_S)
        return self._host.clock.monotonic() - turn.begun_at >= most_s

    async def _judge(self) -> None:
        """While not even the chargers can be read, the others are no trouble of their own."""
        after_s, now = float(self._host.setting("alert_after_s")), self._host.clock.now()
        for turn in (self._chargers, self._sessions):
            if self._hangs(turn, after_s):  # not known to fail yet, and not to be waited for any longer
                await self._failed(turn, TemporaryFailure(N_("There is no answer.")))
        for turn in (self._chargers,) if self._chargers.is_failing else self._turns:
            if turn.feed is not None and not turn.is_told and self._is_outage(turn, turn.feed, now, after_s):
                await self._reading.judge(turn.name)
                turn.is_told = True

    def _is_outage(self, turn: Turn, standing: Feed, now: datetime, after_s: float) -> bool:
        """What failed together with the chargers gets as much time again once they are back, and is not told for that."""
        if (
            turn is not self._chargers
            and self._back_at is not None
            and self._back_at > now - timedelta(seconds=after_s)
        ):
            return False
        return standing.is_outage(now=now, after_s=after_s)
