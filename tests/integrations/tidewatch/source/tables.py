"""What it keeps."""

from sqlalchemy import Column, Float, Table, Text

from atalaia.sdk.columns import Instant, new_metadata

metadata = new_metadata()
readings = Table(
    "tidewatch_readings",
    metadata,
    Column("id", Text, primary_key=True),
    Column("level_m", Float, nullable=False),
    Column("at", Instant, nullable=False),
)
