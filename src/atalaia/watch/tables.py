"""Checks, how they stand, what they were, and incidents.

What changes with every result stands apart (`check_states`), narrow and without an index on what results move.
"""

from sqlalchemy import BigInteger, Boolean, Column, Float, ForeignKey, Index, Integer, PrimaryKeyConstraint, Table, Text

from atalaia.sdk.columns import Blob, Instant, Json, new_metadata

metadata = new_metadata()

checks = Table(
    "checks",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("spec", Json, nullable=False),  # watch.model.checks.CheckSpec without secrets and agents
    Column("secrets", Blob),  # sealed JSON object
    Column("ping_id", Text, unique=True),  # of a heartbeat's address
    Column("is_paused", Boolean, nullable=False),
    Column("revision", Integer, nullable=False),  # grows with every change, of its places too
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
)

check_labels = Table(
    "check_labels",
    metadata,
    Column("check_id", Text, ForeignKey("checks.id", ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),
    Column("value", Text, nullable=False),
    PrimaryKeyConstraint("check_id", "name"),
    Index("ix_check_labels_name_value", "name", "value"),
)

# The agents that measure a check. `is_picked`: by the hub, which may pick another.
check_places = Table(
    "check_places",
    metadata,
    Column("check_id", Text, ForeignKey("checks.id", ondelete="CASCADE"), nullable=False),
    Column("agent_id", Text, nullable=False, index=True),
    Column("is_picked", Boolean, nullable=False),
    PrimaryKeyConstraint("check_id", "agent_id"),
)

check_states = Table(
    "check_states",
    metadata,
    Column("check_id", Text, ForeignKey("checks.id", ondelete="CASCADE"), primary_key=True),
    Column("state", Text, nullable=False),
    Column("since_at", Instant, nullable=False),
    Column("standing", Text, nullable=False),  # watch.model.standing.Standing as JSON
    Column("last_at", Instant),  # of the newest result, as measured
    Column("last_ms", Float),
    Column("last_error", Text),
    Column("results", BigInteger, nullable=False),
    Column("deadline_at", Instant),  # of a heartbeat
)

# What a check was, from when to when; the last one is open. Uptime is made from these.
check_spans = Table(
    "check_spans",
    metadata,
    Column("check_id", Text, ForeignKey("checks.id", ondelete="CASCADE"), nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("state", Text, nullable=False),
    Column("ended_at", Instant),
    PrimaryKeyConstraint("check_id", "started_at"),
)

check_events = Table(
    "check_events",
    metadata,
    Column("id", Text, primary_key=True),
    Column("check_id", Text, ForeignKey("checks.id", ondelete="CASCADE"), nullable=False),
    Column("at", Instant, nullable=False),
    Column("kind", Text, nullable=False),
    Column("data", Json, nullable=False),
    Index("ix_check_events_check_id_id", "check_id", "id"),
)

# Pings of heartbeats that said something: all but plain successes, which are counted in check_states.
check_pings = Table(
    "check_pings",
    metadata,
    Column("id", Text, primary_key=True),
    Column("check_id", Text, ForeignKey("checks.id", ondelete="CASCADE"), nullable=False),
    Column("at", Instant, nullable=False),
    Column("kind", Text, nullable=False),
    Column("exit_status", Integer),
    Column("run", Text),
    Column("took_ms", Float),
    Column("source", Text),
    Column("user_agent", Text),
    Column("body", Blob),
    Index("ix_check_pings_check_id_id", "check_id", "id"),
)

incidents = Table(
    "incidents",
    metadata,
    Column("id", Text, primary_key=True),
    Column("subject", Text, nullable=False),  # "check:<id>", "agent:<id>", "hub:<name>", "integration:<name>:<key>"
    Column("open_subject", Text, unique=True),  # the same while it is open, so that it opens once
    Column("check_id", Text, ForeignKey("checks.id", ondelete="SET NULL"), index=True),
    Column("title", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("reason", Text),
    Column("severity", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("labels", Json, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("acknowledged_at", Instant),
    Column("acknowledged_by", Text),
    Column("resolved_at", Instant),
    Index("ix_incidents_state_id", "state", "id"),
)

incident_events = Table(
    "incident_events",
    metadata,
    Column("id", Text, primary_key=True),
    Column("incident_id", Text, ForeignKey("incidents.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("at", Instant, nullable=False),
    Column("kind", Text, nullable=False),
    Column("who", Text),
    Column("data", Json, nullable=False),
)
