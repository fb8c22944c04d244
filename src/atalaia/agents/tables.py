"""Agents, what was heard of them, their work, and the tokens that make new ones."""

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, PrimaryKeyConstraint, Table, Text, text

from atalaia.sdk.columns import Blob, Instant, Json, new_metadata

metadata = new_metadata()

# Wide, and rarely changed.
agents = Table(
    "agents",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("own_name", Text, nullable=False),  # what the agent calls itself: with the key, who it is
    Column("is_enrolled", Boolean, nullable=False),  # the key is its own: whatever it calls itself, it is this one
    Column("hostname", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("python", Text, nullable=False),
    Column("platform", Text, nullable=False),
    Column("first_seen_at", Instant, nullable=False),
    Column("retired_at", Instant),
    Index("uq_agents_key_id_own_name", "key_id", "own_name", unique=True),
    Index(
        "uq_agents_name",
        "name",
        unique=True,
        sqlite_where=text("retired_at IS NULL"),
        postgresql_where=text("retired_at IS NULL"),
    ),
)

# Narrow, and changed every few seconds.
agent_seen = Table(
    "agent_seen",
    metadata,
    Column("agent_id", Text, primary_key=True),
    Column("last_seen_at", Instant, nullable=False),
    Column("seen", Json, nullable=False),
    Column("silent_since", Instant),
)

agent_spools = Table(
    "agent_spools",
    metadata,
    Column("agent_id", Text, nullable=False),
    Column("spool_id", Text, nullable=False),
    Column("last_seq", BigInteger, nullable=False),  # the high-water mark: what is not above it was taken before
    Column("seen_at", Instant, nullable=False),
    PrimaryKeyConstraint("agent_id", "spool_id"),
)

agent_enrolments = Table(
    "agent_enrolments",
    metadata,
    Column("id", Text, primary_key=True),
    Column("sha256", Blob, nullable=False, unique=True),
    Column("name", Text),
    Column("created_at", Instant, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("uses_left", Integer, nullable=False),
    Column("uses", Integer, nullable=False),
)

# The etag changes with each change of the agent's work; no row: no work yet.
agent_plans = Table(
    "agent_plans",
    metadata,
    Column("agent_id", Text, primary_key=True),
    Column("etag", Text, nullable=False),
)

agent_work = Table(
    "agent_work",
    metadata,
    Column("agent_id", Text, nullable=False),
    Column("owner", Text, nullable=False),  # the slice that set it
    Column("probe_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("interval_s", Float, nullable=False),
    Column("timeout_s", Float, nullable=False),
    Column("options", Json, nullable=False),
    Column("labels", Json, nullable=False),
    Column("secrets", Blob),  # sealed
    PrimaryKeyConstraint("agent_id", "owner", "probe_id"),
    Index("ix_agent_work_owner_probe_id", "owner", "probe_id"),
)

# Probes that are run once and at once; gone some minutes later.
agent_tries = Table(
    "agent_tries",
    metadata,
    Column("try_id", Text, primary_key=True),
    Column("agent_id", Text, nullable=False),
    Column("probe", Blob, nullable=False),  # sealed, since it may hold secrets
    Column("result", Json),
    Column("expires_at", Instant, nullable=False),
    Index("ix_agent_tries_agent_id", "agent_id"),
)
