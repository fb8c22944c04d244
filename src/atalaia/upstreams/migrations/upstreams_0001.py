"""Tokens, breakers, calls by the minute, failures, notes."""

import sqlalchemy as sa
from alembic import op

revision = "upstreams_0001"
down_revision = None
branch_labels = ("upstreams",)
depends_on = None


def upgrade() -> None:
    _states()
    _records()
    op.create_table(
        "upstream_notes",
        sa.Column("upstream", sa.Text, nullable=False),
        sa.Column("runbook", sa.Text, nullable=False),
        sa.Column("contacts", sa.Text, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("upstream", name="pk_upstream_notes"),
    )


def _states() -> None:
    op.create_table(
        "upstream_tokens",
        sa.Column("upstream", sa.Text, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("sealed", sa.LargeBinary),
        sa.Column("length", sa.Integer),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("expires_at", sa.BigInteger),
        sa.Column("renewed_at", sa.BigInteger),
        sa.Column("source", sa.Text),
        sa.Column("quick", sa.Integer, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("retry_at", sa.BigInteger),
        sa.Column("failing_since", sa.BigInteger),
        sa.Column("error", sa.Text),
        sa.Column("login_holder", sa.Text),
        sa.Column("login_until_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("upstream", "account", name="pk_upstream_tokens"),
    )
    op.create_table(
        "upstream_breakers",
        sa.Column("upstream", sa.Text, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("failing_since", sa.BigInteger),
        sa.Column("reason", sa.Text),
        sa.PrimaryKeyConstraint("upstream", "account", name="pk_upstream_breakers"),
    )


def _records() -> None:
    op.create_table(
        "upstream_minutes",
        sa.Column("upstream", sa.Text, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("operation", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("minute_at", sa.BigInteger, nullable=False),
        sa.Column("calls", sa.Integer, nullable=False),
        sa.Column("total_ms", sa.Float, nullable=False),
        sa.Column("max_ms", sa.Float, nullable=False),
        *(sa.Column(f"bucket_{place}", sa.Integer, nullable=False) for place in range(13)),
        sa.PrimaryKeyConstraint("upstream", "minute_at", "account", "operation", "outcome", name="pk_upstream_minutes"),
    )
    op.create_table(
        "upstream_failures",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("upstream", sa.Text, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("operation", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("status", sa.Integer),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("duration_ms", sa.Float, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_upstream_failures"),
    )
    op.create_index("ix_upstream_failures_upstream_id", "upstream_failures", ["upstream", "id"])
    if op.get_bind().dialect.name == "postgresql":
        # A minute's row is rewritten each second while calls are made: room to do it in place.
        op.execute("ALTER TABLE upstream_minutes SET (fillfactor = 80)")
        for table in ("upstream_breakers", "upstream_tokens"):
            op.execute(
                f"ALTER TABLE {table} SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, "
                "autovacuum_vacuum_threshold = 500)"
            )
