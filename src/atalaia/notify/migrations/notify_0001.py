"""Channels, routes, outbox, who has been told, deliveries."""

import sqlalchemy as sa
from alembic import op

revision = "notify_0001"
down_revision = None
branch_labels = ("notify",)
depends_on = None


def upgrade() -> None:
    _channels()
    _routes()
    _outbox()
    _told()
    _deliveries()


def _channels() -> None:
    op.create_table(
        "channels",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("settings", sa.Text, nullable=False),
        sa.Column("secrets", sa.LargeBinary),
        sa.Column("locale", sa.Text, nullable=False),
        sa.Column("is_enabled", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_channels"),
        sa.UniqueConstraint("name", name="uq_channels_name"),
    )
    op.create_table(
        "channel_states",
        sa.Column("channel_id", sa.Text, nullable=False),
        sa.Column("window_opened_at", sa.BigInteger),
        sa.Column("window_until_at", sa.BigInteger),
        sa.Column("delivered_at", sa.BigInteger),
        sa.Column("failed_at", sa.BigInteger),
        sa.Column("error", sa.Text),
        sa.Column("troubled_since", sa.BigInteger),
        sa.PrimaryKeyConstraint("channel_id", name="pk_channel_states"),
    )


def _routes() -> None:
    op.create_table(
        "routes",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("channel_id", sa.Text, nullable=False),
        sa.Column("match", sa.Text, nullable=False),
        sa.Column("min_severity", sa.Text),
        sa.Column("repeat_interval_s", sa.Integer, nullable=False),
        sa.Column("group_wait_s", sa.Integer, nullable=False),
        sa.Column("is_enabled", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_routes"),
    )
    op.create_index("ix_routes_channel_id", "routes", ["channel_id"])


def _outbox() -> None:
    op.create_table(
        "notices",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("incident_id", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_notices"),
    )
    op.create_table(
        "outbox",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), nullable=False, autoincrement=True),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("message_id", sa.Text, nullable=False),
        sa.Column("channel_id", sa.Text, nullable=False),
        sa.Column("incident_id", sa.Text, nullable=False),
        sa.Column("notice_id", sa.Text, nullable=False),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("queued_at", sa.BigInteger, nullable=False),
        sa.Column("due_at", sa.BigInteger, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("may_join", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_outbox"),
        sa.UniqueConstraint("id", name="uq_outbox_id"),
    )
    op.create_index("ix_outbox_message_id", "outbox", ["message_id"])
    op.create_index("ix_outbox_incident_id_channel_id", "outbox", ["incident_id", "channel_id"])
    if op.get_bind().dialect.name == "postgresql":
        # Rows live for milliseconds and are updated in place: clean up by count, not by share.
        op.execute(
            "ALTER TABLE outbox SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, "
            "autovacuum_vacuum_threshold = 1000)"
        )


def _told() -> None:
    op.create_table(
        "told",
        sa.Column("incident_id", sa.Text, nullable=False),
        sa.Column("channel_id", sa.Text, nullable=False),
        sa.Column("notice_id", sa.Text, nullable=False),
        sa.Column("told_at", sa.BigInteger, nullable=False),
        sa.Column("repeat_interval_s", sa.Integer, nullable=False),
        sa.Column("repeat_due_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("incident_id", "channel_id", name="pk_told"),
    )
    op.create_index("ix_told_channel_id", "told", ["channel_id"])


def _deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("message_id", sa.Text, nullable=False),
        sa.Column("channel_id", sa.Text, nullable=False),
        sa.Column("channel_name", sa.Text, nullable=False),
        sa.Column("incident_id", sa.Text),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("started_at", sa.BigInteger, nullable=False),
        sa.Column("duration_ms", sa.Float, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
    )
    op.create_index("ix_deliveries_channel_id_id", "deliveries", ["channel_id", "id"])
    op.create_index("ix_deliveries_incident_id_id", "deliveries", ["incident_id", "id"])
