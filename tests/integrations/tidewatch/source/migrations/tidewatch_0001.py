"""Readings of the tide."""

import sqlalchemy as sa
from alembic import op

from atalaia.sdk.columns import Instant

revision = "tidewatch_0001"
down_revision = None
branch_labels = ("tidewatch",)
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tidewatch_readings",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("level_m", sa.Float, nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tidewatch_readings")),
    )
