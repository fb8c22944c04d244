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
    CompleteItem,
    EarlierStep,
    LeasedJob,
    LeaseOut,
    RenewedItem,
    RenewIn,
    RenewOut,
)
from atalaia.jobs.queries.steps import StepRow
from atalaia.jobs.service.holding import Completed, Renewed
from atalaia.jobs.service.leasing import Leased


def lease_out(leased: Leased, types: JobTypes, *, now: datetime) -> LeaseOut:
    etags = {name: types.etag(name) for name in {grant.type for grant in leased.grants}}
    now_ms = to_ms(now)
    jobs = [
        LeasedJob(
            job.id,
            type_,
            job.payload,
            job.payload_sha256,
            job.attempts + 1,
            write_token(job.seq, lease, secret),
            ttl_ms,
            max(0, deadline_ms - now_ms),
            "resolve" if is_resolve else "run",
            etags[type_],
            [_earlier(row) for row in earlier] if earlier else [],
        )
        for job, type_, is_resolve, lease, secret, ttl_ms, deadline_ms, earlier in leased.grants
    ]
    return LeaseOut(now, jobs, leased.word)


def _earlier(row: StepRow) -> EarlierStep:
    return EarlierStep(row.n, row.name, row.state, Raw(row.data.encode()), row.attempt)


def renew_out(request: RenewIn, word: str, renewed: Sequence[Renewed]) -> RenewOut:
    items = [
        RenewedItem(item.id, each.state, each.ttl_ms)  # type: ignore[arg-type]  # one of its words
        for item, each in zip(request.items, renewed, strict=True)
    ]
    return RenewOut(word, items)


def completed_out(items: Sequence[CompleteItem], completed: Sequence[Completed]) -> CompletedOut:
    return CompletedOut(
        [
            CompletedItem(item.id, status, is_replayed)
            for item, (status, is_replayed) in zip(items, completed, strict=True)
        ]
    )
