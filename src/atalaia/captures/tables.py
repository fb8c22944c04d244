"""Captures, their frames without secrets, and the templates that were made of them."""

from sqlalchemy import Column, Index, Integer, PrimaryKeyConstraint, Table, Text

from atalaia.sdk.columns import Blob, Instant, Json, new_metadata

metadata = new_metadata()

captures = Table(
    "captures",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("upstream", Text, nullable=False),
    Column("format", Text, nullable=False),
    Column("browser", Text, nullable=False),
    Column("file_sha256", Blob, nullable=False),  # the same file again is the same capture
    Column("size_bytes", Integer, nullable=False),
    Column("imported_at", Instant, nullable=False),
    Column("imported_by", Text, nullable=False),
    Column("sent", Integer, nullable=False),
    Column("received", Integer, nullable=False),
    Column("actions", Json, nullable=False),  # names, in the order in which they were first sent
    Column("notes", Json, nullable=False),
    Index("uq_captures_upstream_file_sha256", "upstream", "file_sha256", unique=True),
)

capture_frames = Table(
    "capture_frames",
    metadata,
    Column("capture_id", Text, nullable=False),
    Column("n", Integer, nullable=False),
    Column("direction", Text, nullable=False),
    Column("via", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("action", Text),
    Column("flow_id", Text),
    Column("at", Instant),
    Column("body", Blob, nullable=False),  # bytes: PostgreSQL takes no NUL in a text, and frames are padded with it
    PrimaryKeyConstraint("capture_id", "n"),
)

# All forms of one action as one capture left them; what is built in has no row.
frame_templates = Table(
    "frame_templates",
    metadata,
    Column("upstream", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("capture_id", Text, nullable=False, index=True),
    Column("made_at", Instant, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("templates", Json, nullable=False),
    PrimaryKeyConstraint("upstream", "action", "version"),
)

active_frame_templates = Table(
    "active_frame_templates",
    metadata,
    Column("upstream", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("chosen_at", Instant, nullable=False),
    Column("chosen_by", Text, nullable=False),
    PrimaryKeyConstraint("upstream", "action"),
)
