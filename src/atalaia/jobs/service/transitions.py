"""A job leaves its lease, or its place in the queue: the verdict of model.machine, written down."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from atalaia.core.settings import Settings
from atalaia.core.translations import N_
from atalaia.jobs.model.machine import Facts, Verdict, Word, decide
from atalaia.jobs.model.retrying import retry_delay_s
from atalaia.jobs.model.states import BEHIND, END, HELD, NONE, PHASE, READY, SCHEDULED, State
from atalaia.jobs.model.types import JobTypes
from atalaia.jobs.model.wire import ErrorIn
from atalaia.jobs.queries import holding as queries
from atalaia.jobs.queries import steps
from atalaia.jobs.queries.holding import Ended, PutBack, Queued
from atalaia.jobs.service.effects import Effects, Ending
from atalaia.jobs.service.lanes import Lanes
from atalaia.jobs.service.starts import Place
from atalaia.sdk.transaction import Tx

SNOOZE_S = 30.0


class Trouble(msgspec.Struct, frozen=True, rename={"class_": "class"}):
    """Why a job is not done, as it is shown; `class` is a stable word."""

    class_: str
    message: str
    hint: str = ""
    retryable: bool = False


OUTCOME_UNKNOWN = Trouble(
    "outcome_unknown",
    N_("It may or may not have happened: the worker was lost behind a step that can't be undone."),
    N_("See on the other side what happened: then confirm it, or start the job again."),
)
_OF_WORD = {
    Word.LAPSED: Trouble(
        "lease_lost",
        N_("Its worker was lost three times: no renewal came in time."),
        N_("Look at the worker's log for why it ended; then start the job again."),
    ),
    Word.OVERRAN: Trouble("too_long", N_("It took longer than its type allows."), retryable=True),
}


class Said(NamedTuple):
    """`answered` is the fingerprint of the worker's message, None where the hub says it."""

    word: Word
    result: str | None = None
    error: ErrorIn | None = None
    answered: int | None = None
    by_hand: bool = False


_SUCCEEDED = END[State.SUCCEEDED]


class Transitions:
    def __init__(self, types: JobTypes, lanes: Lanes, settings: Settings) -> None:
        self._types = types
        self._lanes = lanes
        self._settings = settings

    def move(self, tx: Tx, effects: Effects, moves: Sequence[tuple[Queued, Said]]) -> dict[int, State]:
        """Write what becomes of each job (each there once); `effects.settle` is the caller's. Its state by number."""
        endings: list[Ending] = []
        put_back: list[PutBack] = []
        states: dict[int, State] = {}
        for row, said in moves:
            if said.word is Word.SUCCEEDED:  # by far the most
                states[row.seq] = State.SUCCEEDED
                endings.append(Ending(row.id, row.lane, _succeeded(row, said, effects.now_ms)))
                if row.concurrency_key is not None:
                    effects.keys.add(row.concurrency_key)
                continue
            verdict = self._verdict(tx, row, said)
            states[row.seq] = verdict.state
            if row.concurrency_key is not None:
                effects.keys.add(row.concurrency_key)
            if verdict.state in END:
                endings.append(Ending(row.id, row.lane, _ended(row, said, verdict.state, effects.now_ms)))
            else:
                put_back.append(self._put_back(tx, effects, row, said, verdict))
        queries.end(tx, [each.row for each in endings])
        queries.put_back(tx, put_back)
        effects.ended(endings)
        return states

    def _verdict(self, tx: Tx, row: Queued, said: Said) -> Verdict:
        type_ = self._lanes.known(tx, row.lane).type
        facts = Facts(
            is_resolve=bool(row.is_resolve),
            attempts=row.attempts,
            max_attempts=row.max_attempts,
            lost=row.lost,
            irreversible=row.irreversible,
            is_cancelled=bool(row.is_cancelled),
            can_resolve=self._types.can_resolve(type_) or self._lanes.has_resolver(tx, type_),
        )
        return decide(facts, said.word)

    def _put_back(self, tx: Tx, effects: Effects, row: Queued, said: Said, verdict: Verdict) -> PutBack:
        is_resolve = verdict.state is State.RESOLVING
        lane = self._lanes.resolve_lane(tx, row.lane) if is_resolve else self._lanes.run_lane(tx, row.lane)
        due_ms = _due_ms(row, said, verdict, effects.now_ms)
        waits_for_others = row.concurrency_key is not None and not is_resolve
        if not waits_for_others:  # what is to be resolved keeps the key's front
            effects.waits(lane, Place(row.rank, due_ms, row.seq))
        place = BEHIND if waits_for_others else READY if due_ms <= effects.now_ms else SCHEDULED
        effects.changed(row.id)
        effects.counted(self._lanes.known(tx, row.lane).type, _outcome(said, verdict))
        return PutBack(
            place,
            PHASE[verdict.state],
            int(is_resolve),
            lane,
            verdict.attempts,
            verdict.lost,
            row.irreversible if is_resolve else NONE,
            due_ms,
            effects.now_ms,
            self._resolve_by_ms(tx, row, effects.now_ms) if is_resolve else 0,
            said.answered,
            _error_text(row, said, verdict.state),
            row.is_cancelled if is_resolve else 0,
            row.seq,
        )

    def _resolve_by_ms(self, tx: Tx, row: Queued, now_ms: int) -> int:
        """From when it was looked for first, however often it is put off since: other jobs of its key wait for it."""
        since_ms = steps.first_look_ms(tx, row.seq) if row.is_resolve else None
        return (now_ms if since_ms is None else since_ms) + int(self._settings.get("jobs.resolve_minutes") * 60_000)


def _outcome(said: Said, verdict: Verdict) -> str:
    return "lease_lost" if said.word is Word.LAPSED else str(verdict.state)


def _due_ms(row: Queued, said: Said, verdict: Verdict, now_ms: int) -> int:
    retry_after_s = None
    if said.error is not None and said.error.retry_after_ms is not None:
        retry_after_s = said.error.retry_after_ms / 1000
    if said.word is Word.SNOOZED:
        return now_ms + round((SNOOZE_S if retry_after_s is None else retry_after_s) * 1000)
    if verdict.state is State.RETRYING:
        return now_ms + round(retry_delay_s(verdict.attempts, retry_after_s=retry_after_s) * 1000)
    return min(row.due_at, now_ms)  # due at once, and where it stood in the line


def _succeeded(row: Queued, said: Said, now_ms: int) -> Ended:
    return Ended(
        row.seq, _SUCCEEDED, row.attempts + 1, row.lost, row.lease, now_ms, said.answered, row.token, row.worker,
        said.result, None,
    )  # fmt: skip


def _ended(row: Queued, said: Said, state: State, now_ms: int) -> Ended:
    attempts = row.attempts + (row.place == HELD or bool(row.is_resolve))
    number = END[state]
    error = _error_text(row, said, state)
    lost = row.lost + (said.word is Word.LAPSED)
    # What a worker was answered before the hub ended the job, it is answered again.
    answered = row.answered if said.answered is None and row.place != HELD else said.answered
    return Ended(
        row.seq, number, attempts, lost, row.lease, now_ms, answered, row.token, row.worker, said.result, error
    )


def _error_text(row: Queued, said: Said, state: State) -> str | None:
    trouble = _trouble(said, state)
    return row.error if trouble is None else msgspec.json.encode(trouble).decode()


def _trouble(said: Said, state: State) -> Trouble | None:
    """None: nothing is said of it, what was known stays."""
    error = said.error
    if state is State.UNKNOWN:
        if error is None or not error.message:
            return OUTCOME_UNKNOWN
        return Trouble(OUTCOME_UNKNOWN.class_, error.message, error.hint or OUTCOME_UNKNOWN.hint)
    if error is not None and (error.class_ or error.message):
        return Trouble(error.class_ or "failed", error.message, error.hint, error.retryable)
    if state in {State.DEAD, State.RETRYING}:
        return _OF_WORD.get(said.word)
    return Trouble("failed", N_("The worker gave no reason.")) if state is State.FAILED else None
