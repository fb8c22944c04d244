"""Loops under watch: each is called again after its period, whatever it raised; a dead one is seen on /health."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from atalaia.core.errors import AtalaiaError
from atalaia.sdk.contribution import Loop

# A loop that hasn't ended a round for this many periods (and at least this long) counts as stuck.
STUCK_PERIODS = 5
STUCK_S = 120.0
FOLLOWER_PAUSE_S = 1.0

log = structlog.get_logger()


@dataclass(slots=True)
class LoopState:
    """What /health, the doctor and the metrics say of a loop."""

    runs: int = 0
    errors: int = 0
    last_error: str | None = None
    failing: bool = False
    seen_at: float = 0.0  # monotonic: the last time it ended a round, or did not have to run


class Supervisor:
    def __init__(self, loops: Sequence[Loop], *, is_leader: Callable[[], bool]) -> None:
        self._loops = list(loops)
        self._is_leader = is_leader
        self._tasks: list[asyncio.Task[None]] = []
        self.states = {loop.name: LoopState() for loop in loops}

    async def start(self) -> None:
        now = time.monotonic()
        for loop in self._loops:
            self.states[loop.name].seen_at = now
            self._tasks.append(asyncio.create_task(self._supervise(loop), name=f"loop {loop.name}"))

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    def stuck(self) -> list[str]:
        now = time.monotonic()
        return [
            loop.name
            for loop in self._loops
            if now - self.states[loop.name].seen_at > max(STUCK_S, STUCK_PERIODS * loop.period_s)
        ]

    async def _supervise(self, loop: Loop) -> None:
        state = self.states[loop.name]
        while True:
            if loop.leader_only and not self._is_leader():
                state.seen_at = time.monotonic()
                await asyncio.sleep(min(FOLLOWER_PAUSE_S, loop.period_s))
                continue
            started = time.monotonic()
            if loop.wake is not None:
                loop.wake.clear()
            await self._run_once(loop, state)
            state.seen_at = time.monotonic()
            await _pause(loop, max(0.0, loop.period_s - (state.seen_at - started)))

    async def _run_once(self, loop: Loop, state: LoopState) -> None:
        state.runs += 1
        try:
            await loop.run()
        except Exception as error:  # noqa: BLE001 - logged by _note
            state.errors += 1
            state.last_error = f"{type(error).__name__}: {error}"
            if not state.failing:
                _note(loop, error)
            state.failing = True
        else:
            if state.failing:
                log.warning("loop_recovered", loop=loop.name)
            state.failing = False


def _note(loop: Loop, error: Exception) -> None:
    """What we say ourselves needs no trace: a database that is away fails every loop at once."""
    if isinstance(error, AtalaiaError):
        log.error("loop_failed", loop=loop.name, code=error.code, reason=str(error))
    else:
        log.error("loop_failed", loop=loop.name, exc_info=error)


async def _pause(loop: Loop, seconds: float) -> None:
    if loop.wake is None:
        await asyncio.sleep(seconds)
        return
    try:
        # Not wait_for: on Python 3.11 it swallows a cancellation that meets the wake-up, and the hub would never stop.
        async with asyncio.timeout(seconds):
            await loop.wake.wait()
    except TimeoutError:
        return
