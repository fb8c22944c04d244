"""Pings received, how many each minute, and what agents reported of theirs."""

from sqlalchemy import BigInteger, Column, Float, Index, Integer, PrimaryKeyConstraint, Table, Text, UniqueConstraint

from atalaia.sdk.columns import Blob, new_metadata

metadata = new_metadata()

# SQLite counts only INTEGER PRIMARY KEY by itself.
RowId = BigInteger().with_variant(Integer, "sqlite")

ping_sources = Table(
    "ping_sources",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("location", Text, nullable=False),
    Column("datacenter", Text, nullable=False),
    Column("country", Text, nullable=False),
    UniqueConstraint("location", "datacenter", "country"),
)

# Ids of pings, so that each counts once for as long as it may come again. Times are ms since the epoch.
# SQLite: a row for each commit, 16 bytes for each ping.
ping_batches = Table(
    "ping_batches",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("received_at", BigInteger, nullable=False),
    Column("ids", Blob, nullable=False),
)

# PostgreSQL: a row for each ping.
pings = Table(
    "pings",
    metadata,
    Column("ping_id", Blob, primary_key=True),
    Column("received_at", BigInteger, nullable=False),
)

# So that counting a day doesn't read a day. `minute` counts since the epoch.
ping_counts = Table(
    "ping_counts",
    metadata,
    Column("source_id", Integer, nullable=False),
    Column("minute", Integer, nullable=False),
    Column("count", Integer, nullable=False),
    PrimaryKeyConstraint("source_id", "minute"),
)

ping_reports = Table(
    "ping_reports",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("source_id", Integer, nullable=False),
    Column("target", Text, nullable=False),
    Column("at", BigInteger, nullable=False),  # when it was measured
    Column("outcome", Text, nullable=False),
    Column("rtt_ms", Float),
    Column("connect_ms", Float),
    Index("ix_ping_reports_source_id_at", "source_id", "at"),
    Index("ix_ping_reports_at", "at"),
)
