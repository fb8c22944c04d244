"""Leases are kept alive from a thread of their own, with its own loop and connection: no work can starve it.

1. The worker hands over a lease (`add`); from then on it is renewed three times within its time to live.
2. Steps go with the renewals: at most 100 ms late, an irreversible one at once, and then waited for (`commit`).
3. What the hub says comes back to the worker's loop: a lease that is lost, a job to be cancelled, the worker to drain or stop.
4. While the hub is away, a lease runs out by this machine's own clock; then it is lost, whatever the hub may say later.
All state belongs to the thread; the methods called from outside hand their work over to its loop.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Final

import structlog

from atalaia.core.errors import AtalaiaError
from atalaia.sdk.failures import TemporaryFailure
from atalaia.sdk.jobs import StepRecord
from atalaia.worker.clock import now_s
from atalaia.worker.held import Commit, End, Held
from atalaia.worker.hub import HubApi, KeyRefused, Refused, Renewal, Renewals, WorkerWord

BATCH_S: Final = 0.1
COMMIT_WITHIN_S: Final = 10.0
_RENEW_WITHIN_S: Final = 5.0
_LONGEST_PAUSE_S: Final = 2.0
_LOOK_S: Final = 1.0
_IDLE_S: Final = 3600.0
_MAX_ITEMS: Final = 100

OnEnd = Callable[[str, End], None]
OnWord = Callable[[WorkerWord], None]

log = structlog.get_logger()


class Keeper:
    """`on_end` and `on_word` are called on the loop that added the lease, `on_refused` too, when the key is refused."""

    def __init__(
        self,
        make_api: Callable[[], HubApi],
        *,
        on_end: OnEnd,
        on_word: OnWord,
        on_refused: Callable[[KeyRefused], None],
    ) -> None:
        self._make_api = make_api
        self._on_end = on_end
        self._on_word = on_word
        self._on_refused = on_refused
        self._held: dict[str, Held] = {}
        self._pause_s = 0.0  # above 0 while the hub is away
        self._not_before_s = 0.0
        self._flush_at_s: float | None = None
        self._thread = threading.Thread(target=self._main, name="leases", daemon=True)
        self._started = threading.Event()
        self._loop: asyncio.AbstractEventLoop
        self._wake: asyncio.Event
        self._is_over = False
        self._caller: asyncio.AbstractEventLoop | None = None

    # -- from the worker's loop

    def start(self) -> None:
        self._caller = asyncio.get_running_loop()
        self._thread.start()
        self._started.wait()

    async def stop(self) -> None:
        self._hand_over(self._end)
        await asyncio.to_thread(self._thread.join)

    def add(self, id: str, token: str, *, ttl_s: float) -> None:
        held = Held.taken(id, token, ttl_s=ttl_s, now_s=now_s())
        self._hand_over(lambda: self._add(held))

    def note(self, id: str, step: StepRecord) -> None:
        self._hand_over(lambda: self._note(id, step))

    async def commit(self, id: str, step: StepRecord) -> None:
        """Come back when the hub has kept the step and the lease is ours beyond doubt.

        Raises:
            TemporaryFailure: not within 10 s, or the lease is lost.
        """
        kept: Future[None] = Future()
        self._hand_over(lambda: self._commit(id, step, kept))
        try:
            async with asyncio.timeout(COMMIT_WITHIN_S):
                await asyncio.wrap_future(kept)
        except TimeoutError:
            raise TemporaryFailure("The hub did not take the step in time.") from None

    async def take_steps(self, id: str) -> list[StepRecord]:
        """The steps that the hub has not heard of, to be sent with the job's end; the lease is kept until then."""
        left: Future[list[StepRecord]] = Future()
        self._hand_over(lambda: left.set_result(self._take_steps(id)))
        return await asyncio.wrap_future(left)

    def drop(self, id: str) -> None:
        """Renew it no more."""
        self._hand_over(lambda: self._drop(id))

    def _hand_over(self, work: Callable[[], None]) -> None:
        def done() -> None:
            work()
            self._wake.set()

        self._loop.call_soon_threadsafe(done)

    # -- in the thread

    def _main(self) -> None:
        asyncio.run(self._keep())

    async def _keep(self) -> None:
        self._loop, self._wake = asyncio.get_running_loop(), asyncio.Event()
        self._started.set()
        api = self._make_api()
        watch = asyncio.create_task(self._watch())
        try:
            while not self._is_over:
                await self._sleep()
                await self._round(api)
        finally:
            watch.cancel()
            await api.aclose()

    async def _sleep(self) -> None:
        """Until something is due: a little longer for steps, so that they go together; not at all for urgent ones."""
        while not self._is_over:
            self._wake.clear()
            wait_s = self._wait_s()
            if wait_s <= 0:
                return
            try:
                async with asyncio.timeout(wait_s):
                    await self._wake.wait()
            except TimeoutError:
                return

    def _wait_s(self) -> float:
        now = now_s()
        due_s = [held.renew_at_s - now for held in self._held.values()]
        if any(held.is_urgent for held in self._held.values()):
            due_s.append(0.0)
        if self._flush_at_s is not None:
            due_s.append(self._flush_at_s - now)
        return max(min(due_s, default=_IDLE_S), self._not_before_s - now)

    async def _round(self, api: HubApi) -> None:
        due = [held for held in self._held.values() if held.is_due(now_s())][:_MAX_ITEMS]
        self._flush_at_s = None
        try:
            if due and not self._is_over:
                await self._renew(api, due)
        except Exception:  # the loop must go on: leases hang on it
            log.exception("renewal_failed")
            self._rest()
        if any(held.steps for held in self._held.values()):
            self._flush_at_s = now_s() + BATCH_S

    async def _renew(self, api: HubApi, due: list[Held]) -> None:
        sent = {held.id: held.next_steps() for held in due}
        sent_at_s = now_s()
        within_s = min(_RENEW_WITHIN_S, *(held.ttl_s for held in due))
        try:
            answer = await api.renew([Renewal(held.id, held.token, sent[held.id]) for held in due], within_s=within_s)
        except KeyRefused as error:
            refusal = error
            self._tell(lambda: self._on_refused(refusal))
            self._rest()
        except Refused as error:
            await self._without(api, due, sent, error)
        except AtalaiaError as error:
            if not self._pause_s:
                log.warning("hub_unavailable", reason=str(error))
            self._rest()
        else:
            if self._pause_s:
                log.info("hub_back")
            self._pause_s = self._not_before_s = 0.0
            self._take(answer, {held.id: held for held in due}, sent, sent_at_s=sent_at_s)

    async def _without(self, api: HubApi, due: list[Held], sent: dict[str, list[StepRecord]], error: Refused) -> None:
        """One of several is wrong: each by itself; one alone goes on without its steps, rather than lose the lease."""
        if len(due) > 1:
            for held in due:
                await self._renew(api, [held])
            return
        log.error("steps_refused", job=due[0].id, reason=str(error), steps=len(sent[due[0].id]))
        if not sent[due[0].id]:
            self._rest()
        due[0].heard(sent[due[0].id])
        commits, due[0].commits = due[0].commits, []
        for commit in commits:
            _refuse(commit, "The hub did not take the step.")

    def _rest(self) -> None:
        self._pause_s = min(max(self._pause_s * 2, 0.2), _LONGEST_PAUSE_S)
        self._not_before_s = now_s() + self._pause_s

    def _take(
        self, answer: Renewals, asked: dict[str, Held], sent: dict[str, list[StepRecord]], *, sent_at_s: float
    ) -> None:
        for item in answer.items:
            held = asked.get(item.id)
            if held is None or self._held.get(item.id) is not held:  # ended meanwhile, and leased anew perhaps
                continue
            if item.state == "lost":
                self._lose(held)
                continue
            held.renewed(ttl_s=item.ttl_ms / 1000 or held.ttl_s, sent_at_s=sent_at_s)
            held.heard(sent[held.id])
            if item.state == "cancel" and not held.was_told:
                held.was_told = True
                self._tell(partial(self._on_end, held.id, "cancelled"))
            self._settle(held)
        if answer.worker != "run":
            self._tell(lambda: self._on_word(answer.worker))

    def _settle(self, held: Held) -> None:
        """Those who wait for a step that the hub has now may go on, while the lease stands."""
        waiting = held.commits
        held.commits = []
        for commit in waiting:
            if any(step is commit.step for step in held.steps):
                held.commits.append(commit)
            elif held.was_told or now_s() >= held.expires_at_s:
                _refuse(commit, "The job is being cancelled." if held.was_told else "The lease has run out.")
            elif not commit.kept.done():
                commit.kept.set_result(None)

    async def _watch(self) -> None:
        """Leases run out by this machine's clock, also while a renewal is on its way."""
        while True:
            now = now_s()
            for held in [held for held in self._held.values() if now >= held.expires_at_s]:
                log.warning("lease_ran_out", job=held.id)
                self._lose(held)
            nearest_s = min((held.expires_at_s - now for held in self._held.values()), default=_LOOK_S)
            await asyncio.sleep(min(max(nearest_s, 0.01), _LOOK_S))

    # -- what is handed over

    def _add(self, held: Held) -> None:
        self._held[held.id] = held

    def _note(self, id: str, step: StepRecord) -> None:
        held = self._held.get(id)
        if held is not None:
            held.steps.append(step)
            if self._flush_at_s is None:
                self._flush_at_s = now_s() + BATCH_S

    def _commit(self, id: str, step: StepRecord, kept: "Future[None]") -> None:
        held = self._held.get(id)
        commit = Commit(step, kept)
        if held is None or held.was_told:
            _refuse(commit, "The lease is lost." if held is None else "The job is being cancelled.")
            return
        held.steps.append(step)
        held.commits.append(commit)
        held.is_urgent = True

    def _take_steps(self, id: str) -> list[StepRecord]:
        held = self._held.get(id)
        if held is None:
            return []
        taken, held.steps = held.steps, []
        return taken

    def _drop(self, id: str) -> None:
        held = self._held.pop(id, None)
        for commit in held.commits if held else ():
            _refuse(commit, "The lease is ours no more.")

    def _lose(self, held: Held) -> None:
        self._drop(held.id)
        self._tell(partial(self._on_end, held.id, "lost"))

    def _end(self) -> None:
        self._is_over = True

    def _tell(self, call: Callable[[], None]) -> None:
        if self._caller is not None and not self._caller.is_closed():
            self._caller.call_soon_threadsafe(call)


def _refuse(commit: Commit, message: str) -> None:
    if not commit.kept.done():
        commit.kept.set_exception(TemporaryFailure(message))
