"""Captures, their frames, frame templates with their versions."""

import sqlalchemy as sa
from alembic import op

revision = "captures_0001"
down_revision = None
branch_labels = ("captures",)
depends_on = None


def upgrade() -> None:
    _captures()
    _templates()


def _captures() -> None:
    op.create_table(
        "captures",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("upstream", sa.Text, nullable=False),
        sa.Column("format", sa.Text, nullable=False),
        sa.Column("browser", sa.Text, nullable=False),
        sa.Column("file_sha256", sa.LargeBinary, nullable=False),
        sa.Column("size_bytes", sa.Integer, nullable=False),
        sa.Column("imported_at", sa.BigInteger, nullable=False),
        sa.Column("imported_by", sa.Text, nullable=False),
        sa.Column("sent", sa.Integer, nullable=False),
        sa.Column("received", sa.Integer, nullable=False),
        sa.Column("actions", sa.Text, nullable=False),
        sa.Column("notes", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_captures"),
    )
    op.create_index("uq_captures_upstream_file_sha256", "captures", ["upstream", "file_sha256"], unique=True)
    op.create_table(
        "capture_frames",
        sa.Column("capture_id", sa.Text, nullable=False),
        sa.Column("n", sa.Integer, nullable=False),
        sa.Column("direction", sa.Text, nullable=False),
        sa.Column("via", sa.Text, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("action", sa.Text),
        sa.Column("flow_id", sa.Text),
        sa.Column("at", sa.BigInteger),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("capture_id", "n", name="pk_capture_frames"),
    )


def _templates() -> None:
    op.create_table(
        "frame_templates",
        sa.Column("upstream", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("capture_id", sa.Text, nullable=False),
        sa.Column("made_at", sa.BigInteger, nullable=False),
        sa.Column("made_by", sa.Text, nullable=False),
        sa.Column("templates", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("upstream", "action", "version", name="pk_frame_templates"),
    )
    op.create_index("ix_frame_templates_capture_id", "frame_templates", ["capture_id"])
    op.create_table(
        "active_frame_templates",
        sa.Column("upstream", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("chosen_at", sa.BigInteger, nullable=False),
        sa.Column("chosen_by", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("upstream", "action", name="pk_active_frame_templates"),
    )
