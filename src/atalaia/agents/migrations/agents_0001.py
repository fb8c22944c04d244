"""Agents, what was heard of them, their work, enrolment."""

import sqlalchemy as sa
from alembic import op

revision = "agents_0001"
down_revision = None
branch_labels = ("agents",)
depends_on = None


def upgrade() -> None:
    _agents()
    _heard()
    _work()


def _agents() -> None:
    op.create_table(
        "agents",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("own_name", sa.Text, nullable=False),
        sa.Column("is_enrolled", sa.Boolean, nullable=False),
        sa.Column("hostname", sa.Text, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("python", sa.Text, nullable=False),
        sa.Column("platform", sa.Text, nullable=False),
        sa.Column("first_seen_at", sa.BigInteger, nullable=False),
        sa.Column("retired_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_agents"),
    )
    op.create_index("uq_agents_key_id_own_name", "agents", ["key_id", "own_name"], unique=True)
    present = sa.text("retired_at IS NULL")
    op.create_index("uq_agents_name", "agents", ["name"], unique=True, sqlite_where=present, postgresql_where=present)
    op.create_table(
        "agent_enrolments",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("sha256", sa.LargeBinary, nullable=False),
        sa.Column("name", sa.Text),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("uses_left", sa.Integer, nullable=False),
        sa.Column("uses", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_agent_enrolments"),
        sa.UniqueConstraint("sha256", name="uq_agent_enrolments_sha256"),
    )


def _heard() -> None:
    op.create_table(
        "agent_seen",
        sa.Column("agent_id", sa.Text, nullable=False),
        sa.Column("last_seen_at", sa.BigInteger, nullable=False),
        sa.Column("seen", sa.Text, nullable=False),
        sa.Column("silent_since", sa.BigInteger),
        sa.PrimaryKeyConstraint("agent_id", name="pk_agent_seen"),
    )
    op.create_table(
        "agent_spools",
        sa.Column("agent_id", sa.Text, nullable=False),
        sa.Column("spool_id", sa.Text, nullable=False),
        sa.Column("last_seq", sa.BigInteger, nullable=False),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("agent_id", "spool_id", name="pk_agent_spools"),
    )
    if op.get_bind().dialect.name == "postgresql":
        # Rows that change every few seconds: room to change in place, and cleaned before they pile up.
        for table in ("agent_seen", "agent_spools"):
            op.execute(f"ALTER TABLE {table} SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02)")


def _work() -> None:
    op.create_table(
        "agent_plans",
        sa.Column("agent_id", sa.Text, nullable=False),
        sa.Column("etag", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("agent_id", name="pk_agent_plans"),
    )
    op.create_table(
        "agent_work",
        sa.Column("agent_id", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("probe_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("interval_s", sa.Float, nullable=False),
        sa.Column("timeout_s", sa.Float, nullable=False),
        sa.Column("options", sa.Text, nullable=False),
        sa.Column("labels", sa.Text, nullable=False),
        sa.Column("secrets", sa.LargeBinary),
        sa.PrimaryKeyConstraint("agent_id", "owner", "probe_id", name="pk_agent_work"),
    )
    op.create_index("ix_agent_work_owner_probe_id", "agent_work", ["owner", "probe_id"])
    op.create_table(
        "agent_tries",
        sa.Column("try_id", sa.Text, nullable=False),
        sa.Column("agent_id", sa.Text, nullable=False),
        sa.Column("probe", sa.LargeBinary, nullable=False),
        sa.Column("result", sa.Text),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("try_id", name="pk_agent_tries"),
    )
    op.create_index("ix_agent_tries_agent_id", "agent_tries", ["agent_id"])
