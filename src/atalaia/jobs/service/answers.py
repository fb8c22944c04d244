"""What those who work are answered, as it goes over the wire."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Raw

from atalaia.core.clock import to_ms
from atalaia.jobs.model.tokens import write_token
from atalaia.jobs.model.types import JobTypes
from atalaia.jobs.model.wire import (
    CompletedItem,
    CompletedOut,
    EarlierStep,
    LeasedJob,
    LeaseOut,
    RenewedItem,
    RenewIn,
    RenewOut,
)
from atalaia.jobs.queries.steps import StepRow
from atalaia.jobs.service.granting import Grant
from atalaia.jobs.service.holding import Completed, CompleteSaid, Renewed
from atalaia.jobs.service.leasing import Leased


def lease_out(leased: Leased, types: JobTypes, *, now: datetime) -> LeaseOut:
    etags = {name: types.etag(name) for name in {grant.type for grant in leased.grants}}
    now_ms = to_ms(now)
    return LeaseOut(now, [_job(grant, etags[grant.type], now_ms) for grant in leased.grants], leased.word)


def _job(grant: Grant, etag: str, now_ms: int) -> LeasedJob:
    job = grant.job
    return LeasedJob(
        job.id,
        grant.type,
        job.payload,
        job.payload_sha256,
        job.attempts + 1,
        write_token(job.seq, grant.lease, grant.secret),
        grant.ttl_ms,
        max(0, grant.deadline_ms - now_ms),
        "resolve" if grant.is_resolve else "run",
        etag,
        [_earlier(row) for row in grant.earlier] if grant.earlier else [],
    )


def _earlier(row: StepRow) -> EarlierStep:
    return EarlierStep(row.n, row.name, row.state, Raw(row.data.encode()), row.attempt)


def renew_out(request: RenewIn, word: str, renewed: Sequence[Renewed]) -> RenewOut:
    items = [
        RenewedItem(item.id, each.state, each.ttl_ms)  # type: ignore[arg-type]  # one of its words
        for item, each in zip(request.items, renewed, strict=True)
    ]
    return RenewOut(word, items)


def completed_out(said: Sequence[CompleteSaid], completed: Sequence[Completed]) -> CompletedOut:
    return CompletedOut(
        [
            CompletedItem(each.id, done.status, replayed=done.is_replayed)
            for each, done in zip(said, completed, strict=True)
        ]
    )
