"""Tokens (sealed), breakers, calls by the minute, the last failures, and what people wrote for the day it fails."""

from sqlalchemy import Column, Float, Index, Integer, PrimaryKeyConstraint, Table, Text

from atalaia.sdk.columns import Blob, Instant, Json, new_metadata
from atalaia.upstreams.model.records import BOUNDS_MS

metadata = new_metadata()
BUCKETS = tuple(f"bucket_{place}" for place in range(len(BOUNDS_MS) + 1))

upstream_tokens = Table(
    "upstream_tokens",
    metadata,
    Column("upstream", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("sealed", Blob),
    Column("length", Integer),
    Column("generation", Integer, nullable=False),
    Column("expires_at", Instant),
    Column("renewed_at", Instant),
    Column("source", Text),
    Column("quick", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("retry_at", Instant),
    Column("failing_since", Instant),
    Column("error", Text),
    Column("login_holder", Text),
    Column("login_until_at", Instant),
    PrimaryKeyConstraint("upstream", "account"),
)

upstream_breakers = Table(
    "upstream_breakers",
    metadata,
    Column("upstream", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("state", Json, nullable=False),  # outbound.breaker.BreakerState
    Column("failing_since", Instant),  # from the first opening to the next success
    Column("reason", Text),
    PrimaryKeyConstraint("upstream", "account"),
)

upstream_minutes = Table(
    "upstream_minutes",
    metadata,
    Column("upstream", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("operation", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("minute_at", Instant, nullable=False),
    Column("calls", Integer, nullable=False),
    Column("total_ms", Float, nullable=False),
    Column("max_ms", Float, nullable=False),
    # How many took up to each of model.records.BOUNDS_MS, and longer: columns, so that the database adds them up.
    *(Column(name, Integer, nullable=False) for name in BUCKETS),
    # The time before the rest: pages and retention ask by it.
    PrimaryKeyConstraint("upstream", "minute_at", "account", "operation", "outcome"),
)

upstream_failures = Table(
    "upstream_failures",
    metadata,
    Column("id", Text, primary_key=True),
    Column("upstream", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("operation", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("status", Integer),
    Column("error", Text, nullable=False),
    Column("duration_ms", Float, nullable=False),
    Column("at", Instant, nullable=False),
    Index(None, "upstream", "id"),
)

upstream_notes = Table(
    "upstream_notes",
    metadata,
    Column("upstream", Text, primary_key=True),
    Column("runbook", Text, nullable=False),
    Column("contacts", Text, nullable=False),
    Column("changed_at", Instant, nullable=False),
)
