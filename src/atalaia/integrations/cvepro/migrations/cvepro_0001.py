"""Chargers and how their reading stands, sessions, open faults, imports of the history."""

import sqlalchemy as sa
from alembic import op

revision = "cvepro_0001"
down_revision = None
branch_labels = ("cvepro",)
depends_on = None


def upgrade() -> None:
    _feeds()
    _chargers()
    _sessions()
    _imports()


def _feeds() -> None:
    op.create_table(
        "cvepro_feeds",
        sa.Column("name", sa.Text, nullable=False),
        *(sa.Column(name, sa.BigInteger) for name in ("good_at", "tried_at", "failing_since")),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("clock_offset_s", sa.Float),
        sa.PrimaryKeyConstraint("name", name="pk_cvepro_feeds"),
    )
    op.create_table(
        "cvepro_notes",
        sa.Column("feed", sa.Text, nullable=False),
        sa.Column("unread", sa.Text, nullable=False),
        sa.Column("strange", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("feed", name="pk_cvepro_notes"),
    )
    op.create_table(
        "cvepro_faults",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("family", sa.Text, nullable=False),
        sa.Column("opened_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_cvepro_faults"),
    )


def _chargers() -> None:
    op.create_table(
        "cvepro_chargers",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("told", sa.Text, nullable=False),
        sa.Column("heartbeat_at", sa.BigInteger),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_cvepro_chargers"),
    )


def _sessions() -> None:
    table = "cvepro_sessions"
    op.create_table(
        table,
        sa.Column("id", sa.Text, nullable=False),
        *(sa.Column(name, sa.Text) for name in ("box_id", "charger_uuid", "connector", "tag", "tag_pk")),
        *(sa.Column(name, sa.Text) for name in ("user_name", "flat")),
        *(sa.Column(name, sa.BigInteger) for name in ("started_at", "stopped_at")),
        sa.Column("duration_s", sa.Float),
        *(sa.Column(name, sa.BigInteger) for name in ("energy_mwh", "start_mwh", "stop_mwh", "cost_micros")),
        sa.Column("idle_s", sa.Float),
        *(sa.Column(name, sa.Text) for name in ("stop_reason", "stop_actor")),
        sa.Column("doubts", sa.Text, nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("sort_at", "changed_at")),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
    )
    op.create_index(f"ix_{table}_sort_at_id", table, ["sort_at", "id"])
    op.create_index(f"ix_{table}_box_id_sort_at", table, ["box_id", "sort_at"])
    op.create_index(f"ix_{table}_stopped_at", table, ["stopped_at"])


def _imports() -> None:
    op.create_table(
        "cvepro_imports",
        sa.Column("id", sa.Text, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("first_day", "last_day", "next_day", "state")),
        *(sa.Column(name, sa.Integer, nullable=False) for name in ("found", "changed")),
        sa.Column("error", sa.Text),
        sa.Column("asked_by", sa.Text, nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("created_at", "updated_at")),
        sa.PrimaryKeyConstraint("id", name="pk_cvepro_imports"),
    )
