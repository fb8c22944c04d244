"""Jobs, for whoever wants something of them: the routes, the hub's own runner, the composition root."""

from collections.abc import Callable, Sequence
from hashlib import sha256

import msgspec
from msgspec import Raw

from atalaia.core.clock import Clock
from atalaia.core.errors import AtalaiaError, InvalidField, TooLarge
from atalaia.core.permissions import Principal
from atalaia.core.settings import Settings
from atalaia.core.translations import N_
from atalaia.jobs.model.machine import Word
from atalaia.jobs.model.tokens import are_tokens_with_ids, fingerprint, read_token
from atalaia.jobs.model.types import JobTypes
from atalaia.jobs.model.wire import (
    MAX_RESULT_BYTES,
    MAX_STEP_BYTES,
    NOTHING,
    CompleteIn,
    CompleteItem,
    JobIn,
    LeaseIn,
    RenewIn,
    StepIn,
)
from atalaia.jobs.service.alarm import Alarm
from atalaia.jobs.service.bell import Bell
from atalaia.jobs.service.control import Control
from atalaia.jobs.service.counting import Counting
from atalaia.jobs.service.creating import MAX_KEY, Created, Creating, Creation, Made, NewJobSpec, check_text
from atalaia.jobs.service.effects import Listeners
from atalaia.jobs.service.granting import Granting
from atalaia.jobs.service.holding import (
    PLAIN,
    Completed,
    CompleteSaid,
    Holding,
    Outcomes,
    Renewed,
    RenewSaid,
    StepSaid,
    Succeeded,
)
from atalaia.jobs.service.lanes import Lanes
from atalaia.jobs.service.leasing import Gone, Leased, Leasing
from atalaia.jobs.service.limiting import Limiting
from atalaia.jobs.service.limits import Limits
from atalaia.jobs.service.news import News
from atalaia.jobs.service.pulse import Pulse
from atalaia.jobs.service.reading import Reading
from atalaia.jobs.service.reaping import Reaper
from atalaia.jobs.service.starts import Starts
from atalaia.jobs.service.transitions import Transitions
from atalaia.jobs.service.workers import Workers
from atalaia.store.store import Store
from atalaia.store.work import Merged

_ENCODE = msgspec.json.encode


class JobsService:
    """`is_held_back(type)` says whether nothing of a type may be leased now (its upstream's breaker is open)."""

    def __init__(
        self,
        store: Store,
        *,
        clock: Clock,
        settings: Settings,
        types: JobTypes,
        is_held_back: Callable[[str], bool] = lambda _type: False,
    ) -> None:
        self.types = types
        self.lanes = Lanes()
        self.bell = Bell()
        self.limits = Limits(self.lanes)
        self.limiting = Limiting(store, self.limits)
        self.news = News(store)
        self.counting = Counting(store, self.lanes, clock=clock)
        alarm = Alarm(clock=clock)
        listeners = Listeners(self.lanes, self.bell, Starts(), alarm.due_at, self.news.changed, self.counting.count)
        self.pulse = Pulse(store, alarm, self.limits, listeners, clock=clock)
        transitions = Transitions(types, self.lanes, settings)
        self.workers = Workers(store, clock=clock, settings=settings)
        self.creating = Creating(store, types, listeners, clock=clock)
        granting = Granting(types, self.limits, listeners, clock=clock, is_held_back=is_held_back)
        self.leasing = Leasing(store, granting, self.bell, self.workers, timed=self.counting.timed)
        holding = Holding(transitions, listeners, clock=clock)
        self._store = store
        self._renewals: Merged[Sequence[RenewSaid], list[Renewed]] = Merged("jobs.renew", holding.renew)
        self._outcomes: Merged[Outcomes, list[Completed]] = Merged("jobs.complete", holding.complete)
        self.control = Control(store, transitions, listeners, clock=clock, settings=settings)
        self.reading = Reading(store, listeners)
        self.reaper = Reaper(store, transitions, listeners, clock=clock)

    async def start(self) -> None:
        await self.news.start()
        await self.pulse.start()

    def release(self) -> None:
        """End all waiting at a stop."""
        self.bell.release()

    # -- making jobs

    async def create(self, job: JobIn, *, by: Principal, key: str | None = None, body: bytes = b"") -> Created:
        """One job; `body` is what an Idempotency-Key stands for. Raises InvalidField, ReusedKey, TooLarge, BadInput."""
        spec = self.creating.spec_of(job)
        return await self.create_specs([spec], by=by, key=key, body=body)

    async def create_specs(
        self, specs: Sequence[NewJobSpec], *, by: Principal, key: str | None = None, body: bytes = b""
    ) -> Created:
        if key is None:
            return await self.creating.create(Creation(specs, by.id))
        if not 0 < len(key) <= MAX_KEY:
            raise InvalidField("Idempotency-Key", N_("must have between 1 and {limit} characters"), limit=MAX_KEY)
        check_text(**{"Idempotency-Key": key})
        return await self.creating.create(Creation(specs, by.id, key, sha256(body).hexdigest()))

    async def enqueue(
        self,
        type: str,
        payload_raw: str,
        *,
        by: Principal,
        idempotency_key: str | None = None,
        unique_key: str | None = None,
    ) -> Made:
        """For the host of integrations: a job of the hub's own making."""
        job = JobIn(type=type, payload=Raw(payload_raw.encode()), unique_key=unique_key)
        body = _ENCODE((type, payload_raw, unique_key))
        return (await self.create(job, by=by, key=idempotency_key, body=body)).jobs[0]

    # -- working on them

    async def lease(self, request: LeaseIn, *, address: str = "-", gone: Gone = None) -> Leased:
        types, resolves = "".join(request.types), "".join(request.resolves)
        if not f"{request.worker_id}{request.incarnation}{request.version}{request.commit}{types}{resolves}".isprintable():
            check_text(worker_id=request.worker_id, incarnation=request.incarnation, version=request.version)
            check_text(commit=request.commit, types=types, resolves=resolves)
        return await self.leasing.lease(request, address=address, gone=gone)

    async def renew(self, request: RenewIn) -> tuple[str, list[Renewed]]:
        """What the worker is to do, and how each item stands. Raises InvalidField, TooLarge."""
        said = [RenewSaid(item.id, read_token(item.token), steps_said(item.steps)) for item in request.items]
        word = self.workers.hear_again(request.worker_id, request.incarnation)
        return word, await self._store.merge(self._renewals, said) if said else []

    async def complete(self, said: Outcomes) -> list[Completed]:
        return await self._store.merge(self._outcomes, said)


def steps_said(steps: Sequence[StepIn]) -> list[StepSaid]:
    """Raises TooLarge, InvalidField."""
    for step in steps:
        check_text(name=step.name)
    return [StepSaid(step.n, step.name, step.state, _data_text(step.data), step.took_ms) for step in steps]


def _data_text(data: Raw) -> str:
    """What is kept must be readable again, by pages and by the worker that gets the earlier steps: 1e999 is no number there."""
    text = _text(data, "data", MAX_STEP_BYTES)
    if text == "{}":
        return text
    try:
        msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidField("data", N_("this is not JSON: {why}"), why=str(error)) from error
    return text


_WORDS = {
    "succeeded": Word.SUCCEEDED,
    "snoozed": Word.SNOOZED,
    "released": Word.RELEASED,
    "cancelled": Word.CANCELLED,
    "uncertain": Word.UNCERTAIN,
}


def outcomes_said(items: Sequence[CompleteItem]) -> Succeeded | list[CompleteSaid]:
    """Of one request. Raises TooLarge, InvalidField."""
    if all(map(_is_plain, items)):
        said = [f"{item.token} {item.id}" for item in items]
        if are_tokens_with_ids(said):
            return Succeeded([item.id for item in items], said)
    return [outcome_said(item.id, item) for item in items]


def _is_plain(item: CompleteIn) -> bool:
    return item.outcome == "succeeded" and item.result == NOTHING and item.error is None and not item.steps


def outcome_said(id: str, item: CompleteIn | CompleteItem) -> CompleteSaid:
    """Raises TooLarge, InvalidField."""
    token = read_token(item.token)
    if _is_plain(item):
        return CompleteSaid(id, token, Word.SUCCEEDED, None, None, PLAIN)
    result = None if item.result == NOTHING else _text(item.result, "result", MAX_RESULT_BYTES)
    error = item.error
    word = _WORDS.get(item.outcome)
    if word is None:
        word = Word.FAILED if error is None or error.retryable else Word.FAILED_FOR_GOOD
    parts = (item.outcome.encode(), (result or "").encode(), b"" if error is None else _ENCODE(error))
    return CompleteSaid(id, token, word, result, error, fingerprint(*parts), steps_said(item.steps))


def refusal_of(error: AtalaiaError) -> dict[str, str]:
    """An error of one item among many."""
    said = {"code": error.code, "message": str(error)}
    field = getattr(error, "field", None)
    return said | {"field": field} if field else said


def _text(raw: Raw, name: str, limit: int) -> str:
    content = bytes(raw)
    if len(content) > limit:
        raise TooLarge(N_("{field} is over {limit} bytes"), field=name, limit=limit)
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise InvalidField(name, N_("this is not UTF-8")) from error
