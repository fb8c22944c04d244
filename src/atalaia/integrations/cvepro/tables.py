"""What is kept: the chargers as they were last read, how the reading stands, sessions, open faults, imports."""

from sqlalchemy import BigInteger, Column, Float, Index, Integer, Table, Text

from atalaia.sdk.columns import Instant, Json, new_metadata

metadata = new_metadata()

# One row a list, written with every reading: it stands apart from what is wide and seldom changes.
feeds = Table(
    "cvepro_feeds",
    metadata,
    Column("name", Text, primary_key=True),
    Column("good_at", Instant),
    Column("tried_at", Instant),
    Column("failing_since", Instant),
    Column("failures", Integer, nullable=False),
    Column("error", Text),
    Column("clock_offset_s", Float),
)

# What of the last good reading could not be understood.
notes = Table(
    "cvepro_notes",
    metadata,
    Column("feed", Text, primary_key=True),
    Column("unread", Json, nullable=False),
    Column("strange", Json, nullable=False),
)

chargers = Table(
    "cvepro_chargers",
    metadata,
    Column("key", Text, primary_key=True),
    Column("position", Integer, nullable=False),
    Column("told", Json, nullable=False),
    Column("heartbeat_at", Instant),  # it changes all the time, and nothing else does
    Column("changed_at", Instant, nullable=False),
)

sessions = Table(
    "cvepro_sessions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("box_id", Text),
    Column("charger_uuid", Text),
    Column("connector", Text),
    Column("tag", Text),
    Column("tag_pk", Text),
    Column("user_name", Text),
    Column("flat", Text),
    Column("started_at", Instant),
    Column("stopped_at", Instant),
    Column("duration_s", Float),
    Column("energy_mwh", BigInteger),
    Column("start_mwh", BigInteger),
    Column("stop_mwh", BigInteger),
    Column("cost_micros", BigInteger),
    Column("idle_s", Float),
    Column("stop_reason", Text),
    Column("stop_actor", Text),
    Column("doubts", Json, nullable=False),
    Column("sort_at", Instant, nullable=False),  # its start, or when it was first seen
    Column("changed_at", Instant, nullable=False),
    Index("ix_cvepro_sessions_sort_at_id", "sort_at", "id"),
    Index("ix_cvepro_sessions_box_id_sort_at", "box_id", "sort_at"),
    Index("ix_cvepro_sessions_stopped_at", "stopped_at"),
)

# Incidents that are open by our word, over restarts.
faults = Table(
    "cvepro_faults",
    metadata,
    Column("key", Text, primary_key=True),
    Column("family", Text, nullable=False),
    Column("opened_at", Instant, nullable=False),
)

imports = Table(
    "cvepro_imports",
    metadata,
    Column("id", Text, primary_key=True),
    Column("first_day", Text, nullable=False),
    Column("last_day", Text, nullable=False),
    Column("next_day", Text, nullable=False),  # the first that is not read yet
    Column("state", Text, nullable=False),
    Column("found", Integer, nullable=False),
    Column("changed", Integer, nullable=False),
    Column("error", Text),
    Column("asked_by", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
)
