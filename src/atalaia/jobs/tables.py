"""Jobs: what never changes stands in `jobs`, what changes often in the narrow `job_queue`, and what has ended in `job_ends`.

Times are whole milliseconds since the epoch; hot statements are written by hand (queries), so that they are plain numbers.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    text,
)

from atalaia.jobs.model.states import BEHIND, END, HELD, READY, SCHEDULED, State
from atalaia.sdk.columns import Instant, Json, new_metadata

metadata = new_metadata()

# SQLite counts only INTEGER PRIMARY KEY by itself.
RowId = BigInteger().with_variant(Integer, "sqlite")


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


# A type in a queue; leases are searched lane by lane. What is to be resolved has lanes of its own.
job_lanes = Table(
    "job_lanes",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("type", Text, nullable=False),
    Column("queue", Text, nullable=False),
    Column("is_resolve", SmallInteger, nullable=False),
    Index("uq_job_lanes_type_queue_is_resolve", "type", "queue", "is_resolve", unique=True),
)

jobs = Table(
    "jobs",
    metadata,
    Column("seq", RowId, primary_key=True),
    Column("id", Text, nullable=False),
    Column("lane", Integer, nullable=False),
    Column("priority", SmallInteger, nullable=False),
    Column("max_attempts", SmallInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("run_at", BigInteger),  # as it was asked for
    Column("created_by", Text, nullable=False),
    Column("unique_key", Text),
    Column("concurrency_key", Text),
    Column("payload_sha256", Text, nullable=False),
    Column("payload", Text, nullable=False),
    Index("uq_jobs_id", "id", unique=True),
    Index("ix_jobs_lane_seq", "lane", "seq"),
    sqlite_autoincrement=True,
)

job_queue = Table(
    "job_queue",
    metadata,
    Column("seq", RowId, primary_key=True, autoincrement=False),
    Column("place", SmallInteger, nullable=False),  # model.states
    Column("phase", SmallInteger, nullable=False),
    Column("rank", SmallInteger, nullable=False),  # the priority, the other way round
    Column("attempts", SmallInteger, nullable=False),  # that failed
    Column("max_attempts", SmallInteger, nullable=False),
    Column("lost", SmallInteger, nullable=False),
    Column("irreversible", SmallInteger, nullable=False),
    Column("is_cancelled", SmallInteger, nullable=False),  # somebody asked for it
    Column("is_resolve", SmallInteger, nullable=False),
    Column("lane", Integer, nullable=False),
    Column("ttl_ms", Integer, nullable=False),
    Column("lease", BigInteger, nullable=False),  # only grows
    Column("due_at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Column("leased_until", BigInteger, nullable=False),
    Column(
        "deadline_at", BigInteger, nullable=False
    ),  # of the lease as a whole; while it waits to be resolved, of that
    Column("answered", BigInteger),  # fingerprint of what the last lease was completed with
    Column("request", BigInteger),  # fingerprint of the request that leased it
    Column("id", Text, nullable=False),
    Column("token", Text, nullable=False),  # the part that can't be guessed
    Column("worker", Text),
    Column("unique_key", Text),
    Column("concurrency_key", Text),
    Column("error", Text),  # JSON, of the last failure
    Index("ix_job_queue_ready", "lane", "rank", "due_at", "seq", **_where(f"place = {READY}")),
    Index("ix_job_queue_scheduled", "due_at", **_where(f"place = {SCHEDULED}")),
    # No index holds `leased_until`, so that a renewal moves nothing but its row.
    Index("ix_job_queue_held", "seq", **_where(f"place = {HELD}")),
    Index(
        "ix_job_queue_concurrency_key",
        "concurrency_key",
        "place",
        "rank",
        "due_at",
        "seq",
        **_where("concurrency_key IS NOT NULL"),
    ),
    Index("ix_job_queue_resolve", "deadline_at", **_where("is_resolve = 1")),
    Index("uq_job_queue_unique_key", "unique_key", unique=True, **_where("unique_key IS NOT NULL")),
)
assert BEHIND not in {READY, SCHEDULED, HELD}  # noqa: S101 - the indexes above leave it out

job_ends = Table(
    "job_ends",
    metadata,
    Column("seq", RowId, primary_key=True, autoincrement=False),
    Column("state", SmallInteger, nullable=False),
    Column("attempts", SmallInteger, nullable=False),
    Column("lost", SmallInteger, nullable=False),
    Column("lease", BigInteger, nullable=False),
    Column("ended_at", BigInteger, nullable=False),
    Column("answered", BigInteger),
    Column("token", Text, nullable=False),
    Column("worker", Text),
    Column("result", Text),
    Column("error", Text),
    # What went well is found without it, and need not pay for it.
    Index("ix_job_ends_state_seq", "state", "seq", **_where(f"state <> {END[State.SUCCEEDED]}")),
)

job_steps = Table(
    "job_steps",
    metadata,
    Column("seq", RowId, nullable=False),
    Column("lease", BigInteger, nullable=False),
    Column("n", Integer, nullable=False),
    Column("attempt", SmallInteger, nullable=False),
    Column("rank", SmallInteger, nullable=False),  # started 0, irreversible 1, failed 2, done 3: never backwards
    Column("is_irreversible", SmallInteger, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("state", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("data", Text, nullable=False),
    PrimaryKeyConstraint("seq", "lease", "n"),
)

job_requests = Table(
    "job_requests",
    metadata,
    Column("requester", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("answer", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("requester", "key"),
    Index("ix_job_requests_created_at", "created_at"),
)

job_limits = Table(
    "job_limits",
    metadata,
    Column("scope", Text, nullable=False),  # queue, type
    Column("name", Text, nullable=False),
    Column("max_leased", Integer),
    Column("rate", Integer),  # leases in each `period_s`
    Column("period_s", Integer, nullable=False),
    Column("window_at", BigInteger, nullable=False),
    Column("used", Integer, nullable=False),
    PrimaryKeyConstraint("scope", "name"),
)

job_workers = Table(
    "job_workers",
    metadata,
    Column("id", Text, primary_key=True),
    Column("incarnation", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("commit_id", Text, nullable=False),
    Column("types", Json, nullable=False),
    Column("address", Text, nullable=False),
    Column("is_draining", Boolean, nullable=False),
    Column("first_seen_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
)
