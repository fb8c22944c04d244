"""Checks, how they stand, what they were, and incidents."""

import sqlalchemy as sa
from alembic import op

revision = "watch_0001"
down_revision = None
branch_labels = ("watch",)
depends_on = None


def upgrade() -> None:
    _checks()
    _states()
    _history()
    _incidents()


def _to_check(table: str, *, ondelete: str = "CASCADE") -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["check_id"], ["checks.id"], name=f"fk_{table}_check_id_checks", ondelete=ondelete)


def _checks() -> None:
    op.create_table(
        "checks",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("spec", sa.Text, nullable=False),
        sa.Column("secrets", sa.LargeBinary),
        sa.Column("ping_id", sa.Text),
        sa.Column("is_paused", sa.Boolean, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_checks"),
        sa.UniqueConstraint("ping_id", name="uq_checks_ping_id"),
    )
    op.create_table(
        "check_labels",
        sa.Column("check_id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("check_id", "name", name="pk_check_labels"),
        _to_check("check_labels"),
    )
    op.create_index("ix_check_labels_name_value", "check_labels", ["name", "value"])
    op.create_table(
        "check_places",
        sa.Column("check_id", sa.Text, nullable=False),
        sa.Column("agent_id", sa.Text, nullable=False),
        sa.Column("is_picked", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("check_id", "agent_id", name="pk_check_places"),
        _to_check("check_places"),
    )
    op.create_index("ix_check_places_agent_id", "check_places", ["agent_id"])


def _states() -> None:
    op.create_table(
        "check_states",
        sa.Column("check_id", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("since_at", sa.BigInteger, nullable=False),
        sa.Column("standing", sa.Text, nullable=False),
        sa.Column("last_at", sa.BigInteger),
        sa.Column("last_ms", sa.Float),
        sa.Column("last_error", sa.Text),
        sa.Column("results", sa.BigInteger, nullable=False),
        sa.Column("deadline_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("check_id", name="pk_check_states"),
        _to_check("check_states"),
    )
    if op.get_bind().dialect.name == "postgresql":
        # Rewritten with every result: room on each page keeps the new version beside the old one, and off the index.
        op.execute(
            "ALTER TABLE check_states SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05,"
            " autovacuum_vacuum_cost_delay = 0)"
        )


def _history() -> None:
    op.create_table(
        "check_spans",
        sa.Column("check_id", sa.Text, nullable=False),
        sa.Column("started_at", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("ended_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("check_id", "started_at", name="pk_check_spans"),
        _to_check("check_spans"),
    )
    op.create_table(
        "check_events",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("check_id", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_check_events"),
        _to_check("check_events"),
    )
    op.create_index("ix_check_events_check_id_id", "check_events", ["check_id", "id"])
    op.create_table(
        "check_pings",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("check_id", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("exit_status", sa.Integer),
        sa.Column("run", sa.Text),
        sa.Column("took_ms", sa.Float),
        sa.Column("source", sa.Text),
        sa.Column("user_agent", sa.Text),
        sa.Column("body", sa.LargeBinary),
        sa.PrimaryKeyConstraint("id", name="pk_check_pings"),
        _to_check("check_pings"),
    )
    op.create_index("ix_check_pings_check_id_id", "check_pings", ["check_id", "id"])


def _incidents() -> None:
    op.create_table(
        "incidents",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("open_subject", sa.Text),
        sa.Column("check_id", sa.Text),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("cause", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("severity", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("labels", sa.Text, nullable=False),
        sa.Column("opened_at", sa.BigInteger, nullable=False),
        sa.Column("acknowledged_at", sa.BigInteger),
        sa.Column("acknowledged_by", sa.Text),
        sa.Column("resolved_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_incidents"),
        sa.UniqueConstraint("open_subject", name="uq_incidents_open_subject"),
        _to_check("incidents", ondelete="SET NULL"),
    )
    op.create_index("ix_incidents_state_id", "incidents", ["state", "id"])
    op.create_index("ix_incidents_check_id", "incidents", ["check_id"])
    op.create_table(
        "incident_events",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("incident_id", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("who", sa.Text),
        sa.Column("data", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_incident_events"),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incidents.id"], name="fk_incident_events_incident_id_incidents", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_incident_events_incident_id", "incident_events", ["incident_id"])
