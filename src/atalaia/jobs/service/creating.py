"""Jobs in: many requests share one commit. A repeat, by key, is the same job."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import NamedTuple

import msgspec

from atalaia.core.clock import Clock, to_ms
from atalaia.core.errors import AtalaiaError, BadInput, InvalidField, TooLarge
from atalaia.core.ids import new_id
from atalaia.core.translations import N_
from atalaia.jobs.model.states import STATUS, State
from atalaia.jobs.model.types import FREE_MAX_ATTEMPTS, JobTypes
from atalaia.jobs.model.wire import MAX_PAYLOAD_BYTES, JobIn
from atalaia.jobs.queries import creating as queries
from atalaia.jobs.queries.creating import KeptAnswer, NewRow
from atalaia.jobs.service.effects import Effects, Listeners
from atalaia.jobs.service.starts import Place
from atalaia.sdk.transaction import Tx
from atalaia.store.store import Store
from atalaia.store.work import Merged

MAX_KEY = 200
_FIRST_MS = to_ms(datetime(1970, 1, 1, tzinfo=UTC))
_LAST_MS = to_ms(datetime(9999, 1, 1, tzinfo=UTC))


class ReusedKey(InvalidField):
    """The same Idempotency-Key with another body."""

    code = "idempotency_key_reused"


@dataclass(frozen=True, slots=True)
class NewJobSpec:
    """A job to be made, its payload as the text that came in. `run_ms` is since the epoch."""

    type: str
    payload: str
    queue: str
    priority: int
    run_ms: int | None
    unique_key: str | None
    concurrency_key: str | None
    max_attempts: int


class Made(msgspec.Struct, frozen=True, array_like=True):
    id: str
    status: str
    is_new: bool


class Creation(NamedTuple):
    """One request. `key` is its Idempotency-Key, `fingerprint` that of its body; `requester` the key's holder."""

    specs: Sequence[NewJobSpec]
    requester: str
    key: str | None = None
    fingerprint: str = ""


class Created(NamedTuple):
    jobs: list[Made]
    is_replayed: bool = False


class Creating:
    def __init__(self, store: Store, types: JobTypes, listeners: Listeners, *, clock: Clock) -> None:
        self._store = store
        self._types = types
        self._listeners = listeners
        self._clock = clock
        self._merged: Merged[Creation, Created | AtalaiaError] = Merged("jobs.create", self._create_many)

    async def create(self, creation: Creation) -> Created:
        """Answered after the commit. Raises ReusedKey, and as Store.merge."""
        done = await self._store.merge(self._merged, creation)
        if isinstance(done, AtalaiaError):
            raise done
        return done

    def create_in(self, tx: Tx, specs: Sequence[NewJobSpec], *, requester: str) -> list[Made]:
        """The same within another's transaction."""
        done = self._create_many(tx, [Creation(specs, requester)])[0]
        if isinstance(done, AtalaiaError):
            raise done
        return done.jobs

    def spec_of(self, job: JobIn) -> NewJobSpec:
        """Raises InvalidField, TooLarge, BadInput."""
        payload = payload_text(bytes(job.payload))
        known = self._types.find(job.type)
        check_text(type=job.type, queue=job.queue, unique_key=job.unique_key, concurrency_key=job.concurrency_key)
        concurrency_key, most = job.concurrency_key, FREE_MAX_ATTEMPTS
        if known is not None:
            try:
                decoded = msgspec.json.decode(payload, type=known.payload)
            except msgspec.ValidationError as error:
                why, _, path = str(error).partition(" - at `$")
                raise InvalidField(f"payload{path.rstrip('`')}", "{why}", why=why) from error
            concurrency_key = concurrency_key or known.concurrency_key(decoded)
            most = known.max_attempts
        return NewJobSpec(
            job.type,
            payload,
            job.queue,
            job.priority,
            _instant_ms(job.run_at),
            job.unique_key,
            concurrency_key,
            job.max_attempts or most,
        )

    def _create_many(self, tx: Tx, creations: Sequence[Creation]) -> list[Created | AtalaiaError]:
        now_ms = to_ms(self._clock.now())
        effects = Effects(tx, self._listeners, now_ms=now_ms)
        queries.lock_keys(tx, _keys_of(creations))
        unique = {spec.unique_key for each in creations for spec in each.specs if spec.unique_key is not None}
        unfinished = {
            key: Made(found.id, str(STATUS[found.state]), is_new=False)
            for key, found in queries.unfinished_by_key(tx, sorted(unique)).items()
        }
        batch = _Batch(tx, now_ms, unfinished)
        done = [self._answer(batch, creation) for creation in creations]
        self._write(tx, batch, effects)
        return done

    def _answer(self, batch: "_Batch", creation: Creation) -> Created | AtalaiaError:
        if creation.key is None:
            return Created([self._make(batch, spec, creation.requester) for spec in creation.specs])
        known = batch.answers.get((creation.requester, creation.key)) or queries.kept_answer(
            batch.tx, creation.requester, creation.key
        )
        if known is not None:
            if known.fingerprint != creation.fingerprint:
                return ReusedKey(
                    "Idempotency-Key",
                    N_("this Idempotency-Key was used with another body"),
                    hint=N_("Send the same body again, or take a new key for another job."),
                )
            return Created(msgspec.json.decode(known.answer, type=list[Made]), is_replayed=True)
        made = [self._make(batch, spec, creation.requester) for spec in creation.specs]
        kept = KeptAnswer(creation.fingerprint, msgspec.json.encode(made).decode())
        batch.answers[creation.requester, creation.key] = kept
        queries.keep_answer(batch.tx, creation.requester, creation.key, kept, now_ms=batch.now_ms)
        return Created(made)

    def _make(self, batch: "_Batch", spec: NewJobSpec, requester: str) -> Made:
        if spec.unique_key is not None and spec.unique_key in batch.unfinished:
            return batch.unfinished[spec.unique_key]
        made = Made(new_id(), str(STATUS[State.WAITING]), is_new=True)
        if spec.unique_key is not None:
            batch.unfinished[spec.unique_key] = Made(made.id, made.status, is_new=False)
        batch.made.append((made.id, spec, requester))
        return made

    def _write(self, tx: Tx, batch: "_Batch", effects: Effects) -> None:
        if not batch.made:
            return
        lanes = self._listeners.lanes
        numbers = queries.take_numbers(tx, len(batch.made))
        rows = []
        for seq, (id_, spec, requester) in zip(numbers, batch.made, strict=True):
            lane = lanes.id_of(tx, spec.type, spec.queue)
            digest = sha256(spec.payload.encode()).hexdigest()
            rows.append(
                NewRow(
                    seq,
                    id_,
                    lane,
                    spec.priority,
                    spec.max_attempts,
                    effects.now_ms,
                    spec.run_ms,
                    requester,
                    spec.unique_key,
                    spec.concurrency_key,
                    digest,
                    spec.payload,
                )
            )
            effects.changed(id_)
            effects.counted(spec.type, "created")
            if spec.concurrency_key is None:
                due_ms = spec.run_ms if spec.run_ms is not None else effects.now_ms
                is_usual = spec.run_ms is None and spec.priority == 0
                effects.waits(lane, Place(-spec.priority, due_ms, seq), is_new=is_usual)
            else:
                effects.keys.add(spec.concurrency_key)
        queries.add(tx, rows, now_ms=effects.now_ms)
        effects.settle()


class _Batch:
    """What one transaction makes."""

    def __init__(self, tx: Tx, now_ms: int, unfinished: dict[str, Made]) -> None:
        self.tx = tx
        self.now_ms = now_ms
        self.unfinished = unfinished
        self.answers: dict[tuple[str, str], KeptAnswer] = {}
        self.made: list[tuple[str, NewJobSpec, str]] = []


def _keys_of(creations: Iterable[Creation]) -> list[str]:
    """Whatever two requests may both be first with. In one call, so that they are locked in one order."""
    keys: list[str] = []
    for creation in creations:
        if creation.key is not None:
            keys.append(f"request:{creation.requester}:{creation.key}")
        for spec in creation.specs:
            if spec.unique_key is not None:
                keys.append(f"unique:{spec.unique_key}")
            if spec.concurrency_key is not None:
                keys.append(f"front:{spec.concurrency_key}")
    return keys


def payload_text(raw: bytes) -> str:
    """The text of a payload, to the byte. Raises TooLarge, BadInput."""
    if len(raw) > MAX_PAYLOAD_BYTES:
        raise TooLarge(N_("payload is over {limit} bytes"), limit=MAX_PAYLOAD_BYTES)
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise BadInput(N_("payload is not UTF-8")) from error


def check_text(**fields: str | None) -> None:
    """Raises InvalidField: a character that can't be shown (or that a database can't keep)."""
    for name, value in fields.items():
        if value is not None and not value.isprintable():
            raise InvalidField(name, N_("control characters are not possible here"))


def _instant_ms(instant: datetime | None) -> int | None:
    """At the very ends of the calendar it can be told, and shown in no other zone."""
    if instant is None:
        return None
    if not _FIRST_MS <= (ms := to_ms(instant)) < _LAST_MS:
        raise InvalidField("run_at", N_("this instant is out of range"))
    return ms
