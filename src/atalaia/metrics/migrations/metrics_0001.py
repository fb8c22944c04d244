"""Series, samples, roll-ups, forwarding."""

import sqlalchemy as sa
from alembic import op

revision = "metrics_0001"
down_revision = None
branch_labels = ("metrics",)
depends_on = None

_RowId = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    _series()
    _samples()
    _forwarding()


def _series() -> None:
    op.create_table(
        "metrics_series",
        sa.Column("id", _RowId, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("labels", sa.Text, nullable=False),
        sa.Column("sender", sa.Text),
        sa.Column("seen_day", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_metrics_series"),
        sa.UniqueConstraint("digest", name="uq_metrics_series_digest"),
    )
    op.create_index("ix_metrics_series_name", "metrics_series", ["name", "id"])
    op.create_index("ix_metrics_series_sender", "metrics_series", ["sender", "seen_day"])
    op.create_table(
        "metrics_families",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("help", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_metrics_families"),
    )


def _samples() -> None:
    op.create_table(
        "metrics_log",
        sa.Column("id", _RowId, nullable=False),
        sa.Column("samples", sa.Integer, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_metrics_log"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "metrics_chunks",
        sa.Column("id", _RowId, nullable=False),
        sa.Column("series_id", sa.BigInteger, nullable=False),
        sa.Column("span", sa.Integer, nullable=False),
        sa.Column("edition", sa.Integer, nullable=False),
        sa.Column("is_rolled", sa.Boolean, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_metrics_chunks"),
        sa.UniqueConstraint("series_id", "span", name="uq_metrics_chunks_series_id"),
    )
    _partial_index("ix_metrics_chunks_unrolled", "metrics_chunks", "span", "NOT is_rolled")
    op.create_table(
        "metrics_rollups",
        sa.Column("id", _RowId, nullable=False),
        sa.Column("series_id", sa.BigInteger, nullable=False),
        sa.Column("width_s", sa.Integer, nullable=False),
        sa.Column("day", sa.Integer, nullable=False),
        sa.Column("is_final", sa.Boolean, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_metrics_rollups"),
        sa.UniqueConstraint("series_id", "width_s", "day", name="uq_metrics_rollups_series_id"),
    )
    op.create_index("ix_metrics_rollups_day", "metrics_rollups", ["width_s", "day"])
    _partial_index("ix_metrics_rollups_open", "metrics_rollups", "day", "NOT is_final")


def _partial_index(name: str, table: str, column: str, where: str) -> None:
    op.create_index(name, table, [column], sqlite_where=sa.text(where), postgresql_where=sa.text(where))


def _forwarding() -> None:
    op.create_table(
        "metrics_forward_queue",
        sa.Column("id", _RowId, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("samples", sa.Integer, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_metrics_forward_queue"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_metrics_forward_queue_target", "metrics_forward_queue", ["target", "id"])
    op.create_table(
        "metrics_forward_batches",
        sa.Column("id", _RowId, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("samples", sa.Integer, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("set_aside_at", sa.BigInteger),
        sa.Column("why", sa.Text),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_metrics_forward_batches"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_metrics_forward_batches_target", "metrics_forward_batches", ["target", "id"])
