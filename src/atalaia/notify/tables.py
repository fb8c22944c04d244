"""Channels and routes, what waits to be sent, who has been told, and every attempt."""

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, PrimaryKeyConstraint, Table, Text

from atalaia.sdk.columns import Blob, Instant, Json, new_metadata

metadata = new_metadata()

channels = Table(
    "channels",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("settings", Json, nullable=False),
    Column("secrets", Blob),  # sealed JSON
    Column("locale", Text, nullable=False),
    Column("is_enabled", Boolean, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
)

# What changes with every message, apart from what people edit.
channel_states = Table(
    "channel_states",
    metadata,
    Column("channel_id", Text, primary_key=True),
    Column("window_opened_at", Instant),
    Column("window_until_at", Instant),
    Column("delivered_at", Instant),
    Column("failed_at", Instant),
    Column("error", Text),
    Column("troubled_since", Instant),
)

routes = Table(
    "routes",
    metadata,
    Column("id", Text, primary_key=True),
    Column("channel_id", Text, nullable=False, index=True),
    Column("match", Json, nullable=False),
    Column("min_severity", Text),
    Column("repeat_interval_s", Integer, nullable=False),
    Column("group_wait_s", Integer, nullable=False),
    Column("is_enabled", Boolean, nullable=False),
    Column("created_at", Instant, nullable=False),
)

# The wide part of a message, one for all channels.
notices = Table(
    "notices",
    metadata,
    Column("id", Text, primary_key=True),
    Column("incident_id", Text, nullable=False),
    Column("body", Json, nullable=False),  # model.notice.Subject
    Column("created_at", Instant, nullable=False),
)

# What an integration says to an address, until it has come to an end: what it said to whom is nobody's business then.
direct_messages = Table(
    "direct_messages",
    metadata,
    Column("id", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("queued_at", Instant, nullable=False),
    Column("not_before", Instant, nullable=False),
    Column("expires_at", Instant),
)

# Short-lived rows; no index on due_at, which each failure moves: the table is small, or nothing works anyway.
# Of a direct message, the channel is its lane (model.direct.lane_of), and the address stands where an incident does.
outbox = Table(
    "outbox",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("message_id", Text, nullable=False, index=True),
    Column("channel_id", Text, nullable=False),
    Column("incident_id", Text, nullable=False),
    Column("notice_id", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("queued_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("may_join", Boolean, nullable=False),
    Column("progress", Json),  # model.progress: target -> fate
    Index(None, "incident_id", "channel_id"),
)

# Who has been told of an incident that is still open: they hear of its recovery, and are reminded.
told = Table(
    "told",
    metadata,
    Column("incident_id", Text, nullable=False),
    Column("channel_id", Text, nullable=False),
    Column("notice_id", Text, nullable=False),
    Column("told_at", Instant, nullable=False),
    Column("repeat_interval_s", Integer, nullable=False),
    Column("repeat_due_at", Instant),  # none: never again, or acknowledged
    PrimaryKeyConstraint("incident_id", "channel_id"),
    Index(None, "channel_id"),
)

# Every attempt, for people; a message of several incidents has a row for each.
deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Text, primary_key=True),
    Column("message_id", Text, nullable=False),
    Column("channel_id", Text, nullable=False),
    Column("channel_name", Text, nullable=False),
    Column("incident_id", Text),  # none: a test, or a message to an address
    Column("event", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("duration_ms", Float, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("target", Text, nullable=False),  # one of the channel's receivers; empty: it does not tell them apart
    Index(None, "channel_id", "id"),
    Index(None, "incident_id", "id"),
)
