"""What workers say of the jobs they hold: renewals with steps, and outcomes; many requests to a commit.

Each is matched by job, lease number, secret and place: who comes late, or holds an old token, changes nothing.
"""

from collections.abc import Sequence
from typing import NamedTuple

from atalaia.core.clock import Clock, to_ms
from atalaia.jobs.events import JobEnded
from atalaia.jobs.model.machine import Word
from atalaia.jobs.model.states import HELD, NONE, OPEN, TAKEN
from atalaia.jobs.model.tokens import Token, fingerprint, read_token
from atalaia.jobs.model.wire import ErrorIn
from atalaia.jobs.queries import holding as queries
from atalaia.jobs.queries import steps as step_queries
from atalaia.jobs.queries.holding import Ended, Queued
from atalaia.jobs.queries.steps import StepRow
from atalaia.jobs.service.effects import Effects, Listeners
from atalaia.jobs.service.transitions import Said, Transitions
from atalaia.sdk.transaction import Tx

STEP_RANK = {"started": 0, "irreversible": 1, "failed": 2, "done": 3}
_SETTLED = 2


class StepSaid(NamedTuple):
    n: int
    name: str
    state: str
    data: str
    took_ms: int = 0


class RenewSaid(NamedTuple):
    id: str
    token: Token
    steps: Sequence[StepSaid]


class Renewed(NamedTuple):
    state: str  # ok, cancel, lost
    ttl_ms: int


class CompleteSaid(NamedTuple):
    """`fingerprint`: of all that was said, so that the same again is known."""

    id: str
    token: Token
    word: Word
    result: str | None
    error: ErrorIn | None
    fingerprint: int
    steps: Sequence[StepSaid] = ()


PLAIN = fingerprint(b"succeeded")


class Succeeded(NamedTuple):
    """All of a request's jobs succeeded, with nothing more to say: by far the most. `said`: `<token> <id>` of each."""

    ids: list[str]
    said: list[str]


Outcomes = Succeeded | Sequence[CompleteSaid]


class Completed(NamedTuple):
    status: int  # 200, 409, 410, 422
    is_replayed: bool = False


_DONE, _REPLAYED = Completed(200), Completed(200, is_replayed=True)
_LOST, _GONE, _DIFFERS = Completed(409), Completed(410), Completed(422)


class Holding:
    def __init__(self, transitions: Transitions, listeners: Listeners, *, clock: Clock) -> None:
        self._transitions = transitions
        self._listeners = listeners
        self._clock = clock

    # -- renewals

    def renew(self, tx: Tx, requests: Sequence[Sequence[RenewSaid]]) -> list[list[Renewed]]:
        now_ms = to_ms(self._clock.now())
        effects = Effects(tx, self._listeners, now_ms=now_ms)
        rows = queries.queued(tx, list({said.token.seq for said_all in requests for said in said_all}))
        held = [(said, rows[said.token.seq]) for each in requests for said in each if _holds(said, rows)]
        irreversible = self._keep_steps(tx, effects, [(row, said.steps) for said, row in held])
        renewals = {
            row.seq: (now_ms + row.ttl_ms, irreversible.get(row.seq, row.irreversible), row.seq) for _, row in held
        }
        if renewals:
            queries.renew(tx, sorted(renewals.values(), key=lambda renewal: renewal[2]))
        effects.settle()
        return [[_renewed(said, rows) for said in each] for each in requests]

    # -- outcomes

    def complete(self, tx: Tx, requests: Sequence[Outcomes]) -> list[list[Completed]]:
        effects = Effects(tx, self._listeners, now_ms=to_ms(self._clock.now()))
        plain = [each for each in requests if isinstance(each, Succeeded)]
        are_ended = bool(plain) and self._end_plain(tx, effects, plain)
        others = [_one_by_one(each) for each in requests if not (are_ended and isinstance(each, Succeeded))]
        judged = iter(self._complete(tx, effects, others) if others else ())
        effects.settle()
        if not are_ended:
            return list(judged)
        return [[_DONE] * len(each.ids) if isinstance(each, Succeeded) else next(judged) for each in requests]

    def _end_plain(self, tx: Tx, effects: Effects, requests: Sequence[Succeeded]) -> bool:
        """End all of these in a few statements; False, and nothing is done, where one is not as it should be."""
        said = [text for each in requests for text in each.said]
        if len(set(said)) < len(said) or tx.hears(JobEnded):
            return False
        by_lane = queries.end_meant(tx, said, now_ms=effects.now_ms, answered=PLAIN)
        if by_lane:
            effects.ended_well([id_ for each in requests for id_ in each.ids], by_lane)
        return bool(by_lane)

    def _complete(self, tx: Tx, effects: Effects, requests: Sequence[Sequence[CompleteSaid]]) -> list[list[Completed]]:
        rows = queries.queued(tx, list({said.token.seq for each in requests for said in each}))
        ended = self._ended(tx, requests, rows)
        taken: dict[int, CompleteSaid] = {}
        answers = [[_judge(said, rows, ended, taken) for said in each] for each in requests]
        if taken:
            self._take(tx, effects, [(rows[seq], said) for seq, said in taken.items()])
        return answers

    def _ended(
        self, tx: Tx, requests: Sequence[Sequence[CompleteSaid]], rows: dict[int, Queued]
    ) -> dict[int, tuple[str, Ended]]:
        missing = {said.token.seq for each in requests for said in each if said.token.seq not in rows}
        return queries.ends(tx, sorted(missing)) if missing else {}

    def _take(self, tx: Tx, effects: Effects, said: Sequence[tuple[Queued, CompleteSaid]]) -> None:
        irreversible = self._keep_steps(tx, effects, [(row, each.steps) for row, each in said])
        moves = []
        for row, each in said:
            fresh = row._replace(irreversible=irreversible[row.seq]) if row.seq in irreversible else row
            moves.append((fresh, Said(each.word, each.result, each.error, each.fingerprint)))
        self._transitions.move(tx, effects, moves)

    # -- steps

    def _keep_steps(
        self, tx: Tx, effects: Effects, said: Sequence[tuple[Queued, Sequence[StepSaid]]]
    ) -> dict[int, int]:
        """Write the steps down; how irreversible those jobs are now for which that may have changed."""
        kept = [_step_row(row, step, effects.now_ms) for row, steps in said for step in steps]
        if not kept:
            return {}
        step_queries.keep(tx, kept)
        for row, steps in said:
            if steps:
                effects.changed(row.id)
        concerned = {row.seq: row.lease for row, steps in said if steps and not row.is_resolve}
        if not concerned:
            return {}
        found = step_queries.irreversible_of(tx, list(concerned.items()))
        return {seq: _irreversible(found.get(seq, ())) for seq in concerned}


def _one_by_one(request: Outcomes) -> Sequence[CompleteSaid]:
    if not isinstance(request, Succeeded):
        return request
    tokens = (read_token(said.partition(" ")[0]) for said in request.said)
    pairs = zip(request.ids, tokens, strict=True)
    return [CompleteSaid(id_, token, Word.SUCCEEDED, None, None, PLAIN) for id_, token in pairs]


def _holds(said: RenewSaid | CompleteSaid, rows: dict[int, Queued]) -> bool:
    row = rows.get(said.token.seq)
    return row is not None and row.place == HELD and _is_of(said, row.id, row.lease, row.token)


def _is_of(said: RenewSaid | CompleteSaid, id: str, lease: int, secret: str) -> bool:
    return said.token.lease == lease and said.token.secret == secret and said.id == id


def _renewed(said: RenewSaid, rows: dict[int, Queued]) -> Renewed:
    if not _holds(said, rows):
        return Renewed("lost", 0)
    row = rows[said.token.seq]
    return Renewed("cancel" if row.is_cancelled else "ok", row.ttl_ms)


def _judge(
    said: CompleteSaid, rows: dict[int, Queued], ended: dict[int, tuple[str, Ended]], taken: dict[int, CompleteSaid]
) -> Completed:
    """What the one who says it is answered; what is to be done goes into `taken`."""
    seq = said.token.seq
    if seq in taken:  # the same one twice in a group
        return _again(said, taken[seq].fingerprint) if taken[seq].token == said.token else _LOST
    if _holds(said, rows):
        taken[seq] = said
        return _DONE
    row = rows.get(seq)
    if row is not None:
        is_its = row.place != HELD and row.answered is not None and _is_of(said, row.id, row.lease, row.token)
        return _again(said, row.answered) if is_its else _LOST
    found = ended.get(seq)
    if found is None:
        return _GONE
    id_, end = found
    if not _is_of(said, id_, end.lease, end.token):
        return _LOST
    return _GONE if end.answered is None else _again(said, end.answered)


def _again(said: CompleteSaid, answered: int | None) -> Completed:
    return _REPLAYED if said.fingerprint == answered else _DIFFERS


def _step_row(row: Queued, step: StepSaid, now_ms: int) -> StepRow:
    rank = STEP_RANK[step.state]
    return StepRow(
        row.seq,
        row.lease,
        step.n,
        row.attempts + 1,
        rank,
        int(step.state == "irreversible"),
        # Steps come some to a request, so that when it came says little of how long each took.
        now_ms - step.took_ms,
        now_ms if rank >= _SETTLED else None,
        step.state,
        step.name,
        step.data,
    )


def _irreversible(steps: Sequence[tuple[str, int]]) -> int:
    states = {state for state, _ in steps}
    if states & {"irreversible", "started"}:
        return OPEN
    return TAKEN if "done" in states else NONE
