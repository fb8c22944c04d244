"""Samples and what goes with them. Times are whole milliseconds since the epoch, as on the wire."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, Table, Text, UniqueConstraint, text

from atalaia.sdk.columns import Blob, Instant, Json, new_metadata

metadata = new_metadata()

# SQLite counts only INTEGER PRIMARY KEY by itself.
RowId = BigInteger().with_variant(Integer, "sqlite")

series = Table(
    "metrics_series",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("digest", Blob, nullable=False),
    Column("name", Text, nullable=False),
    Column("labels", Json, nullable=False),
    Column("sender", Text),
    Column("seen_day", Integer, nullable=False),
    UniqueConstraint("digest"),
    Index("ix_metrics_series_name", "name", "id"),
    Index("ix_metrics_series_sender", "sender", "seen_day"),
)

# Which series have a label's value: `key` stands for (metric, label, value), see atalaia.metrics.postings.
postings = Table(
    "metrics_postings",
    metadata,
    Column("key", BigInteger, primary_key=True, autoincrement=False),
    Column("series_id", BigInteger, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

families = Table(
    "metrics_families",
    metadata,
    Column("name", Text, primary_key=True),
    Column("type", Text, nullable=False),
    Column("help", Text, nullable=False),
)

# Raw batches, one row a commit, until they are sealed into chunks. Ids are never used twice.
log = Table(
    "metrics_log",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("samples", Integer, nullable=False),
    Column("data", Blob, nullable=False),
    sqlite_autoincrement=True,
)

# One series over two hours. `span` counts spans since the epoch; `edition` grows with each change.
chunks = Table(
    "metrics_chunks",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("series_id", BigInteger, nullable=False),
    Column("span", Integer, nullable=False),
    Column("edition", Integer, nullable=False),
    Column("is_rolled", Boolean, nullable=False),
    Column("data", Blob, nullable=False),
    UniqueConstraint("series_id", "span"),
    Index(
        "ix_metrics_chunks_unrolled", "span", sqlite_where=text("NOT is_rolled"), postgresql_where=text("NOT is_rolled")
    ),
)

# Chunks that could not be decoded, as they were: out of everybody's way, and not thrown away.
damaged = Table(
    "metrics_damaged",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("series_id", BigInteger, nullable=False),
    Column("span", Integer, nullable=False),
    Column("data", Blob, nullable=False),
    Column("found_at", Instant, nullable=False),
)

# One series over a day, in minutes (width 60) or hours (3600). Final: its samples are gone, later ones are added to it.
rollups = Table(
    "metrics_rollups",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("series_id", BigInteger, nullable=False),
    Column("width_s", Integer, nullable=False),
    Column("day", Integer, nullable=False),
    Column("is_final", Boolean, nullable=False),
    Column("data", Blob, nullable=False),
    UniqueConstraint("series_id", "width_s", "day"),
    Index("ix_metrics_rollups_day", "width_s", "day"),
    Index("ix_metrics_rollups_open", "day", sqlite_where=text("NOT is_final"), postgresql_where=text("NOT is_final")),
)

# What is to be forwarded and not yet in a batch: the log's form, one row a commit and target.
forward_queue = Table(
    "metrics_forward_queue",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("target", Text, nullable=False),
    Column("samples", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("data", Blob, nullable=False),
    Index("ix_metrics_forward_queue_target", "target", "id"),
    sqlite_autoincrement=True,
)

# Bodies as they are sent, and sent again, byte for byte.
forward_batches = Table(
    "metrics_forward_batches",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("target", Text, nullable=False),
    Column("samples", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("set_aside_at", Instant),
    Column("why", Text),
    Column("body", Blob, nullable=False),
    Index("ix_metrics_forward_batches_target", "target", "id"),
    sqlite_autoincrement=True,
)
