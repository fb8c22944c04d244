"""The store's own tables."""

from sqlalchemy import BigInteger, Column, Table, Text

from atalaia.sdk.columns import Instant, Json, new_metadata

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
