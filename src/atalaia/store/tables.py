"""The store's own tables."""

from sqlalchemy import BigInteger, Column, Integer, PrimaryKeyConstraint, Table, Text

from atalaia.sdk.columns import Blob, Instant, Json, new_metadata

metadata = new_metadata()

leadership = Table(
    "leadership",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("fence", BigInteger, nullable=False),  # only grows: a late leader can be told from the present one
    Column("expires_at", Instant, nullable=False),
)

settings = Table(
    "settings",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Json, nullable=False),
    Column("changed_at", Instant, nullable=False),
)

files = Table(
    "files",
    metadata,
    Column("id", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
)

file_parts = Table(
    "file_parts",
    metadata,
    Column("file_id", Text, nullable=False),
    Column("n", Integer, nullable=False),
    Column("data", Blob, nullable=False),
    PrimaryKeyConstraint("file_id", "n"),
)
