"""Pings received, their counts, reports of agents."""

import sqlalchemy as sa
from alembic import op

revision = "pings_0001"
down_revision = None
branch_labels = ("pings",)
depends_on = None


def upgrade() -> None:
    row_id = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "ping_sources",
        sa.Column("id", row_id, nullable=False, autoincrement=True),
        sa.Column("location", sa.Text, nullable=False),
        sa.Column("datacenter", sa.Text, nullable=False),
        sa.Column("country", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ping_sources"),
        sa.UniqueConstraint("location", "datacenter", "country", name="uq_ping_sources_location_datacenter_country"),
    )
    op.create_table(
        "pings",
        sa.Column("ping_id", sa.LargeBinary, nullable=False),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("ping_id", name="pk_pings"),
    )
    op.create_table(
        "ping_batches",
        sa.Column("id", row_id, nullable=False, autoincrement=True),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.Column("ids", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ping_batches"),
    )
    op.create_table(
        "ping_counts",
        sa.Column("source_id", sa.Integer, nullable=False),
        sa.Column("minute", sa.Integer, nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("source_id", "minute", name="pk_ping_counts"),
    )
    op.create_table(
        "ping_reports",
        sa.Column("id", row_id, nullable=False, autoincrement=True),
        sa.Column("source_id", sa.Integer, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("rtt_ms", sa.Float),
        sa.Column("connect_ms", sa.Float),
        sa.PrimaryKeyConstraint("id", name="pk_ping_reports"),
    )
    op.create_index("ix_ping_reports_source_id_at", "ping_reports", ["source_id", "at"])
    op.create_index("ix_ping_reports_at", "ping_reports", ["at"])
    if op.get_bind().dialect.name == "postgresql":
        # Rows stand in the order they came in: a few bytes for each stretch of them are index enough to clear away.
        op.execute("CREATE INDEX ix_pings_received_at ON pings USING brin (received_at)")
        op.execute("ALTER TABLE ping_counts SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02)")
