"""Signals, their locks, runs and counts."""

import sqlalchemy as sa
from alembic import op

revision = "signals_0001"
down_revision = None
branch_labels = ("signals",)
depends_on = None


def _column(name: str, kind: object, *, is_null: bool = False) -> sa.Column:  # type: ignore[type-arg]
    return sa.Column(name, kind, nullable=is_null)  # type: ignore[arg-type]


def upgrade() -> None:
    op.create_table(
        "signals",
        _column("name", sa.Text),
        _column("task", sa.Text),
        _column("options", sa.Text),
        _column("secret", sa.LargeBinary, is_null=True),
        _column("min_interval_ms", sa.Integer),
        _column("expect_every_s", sa.Float, is_null=True),
        _column("cron", sa.Text, is_null=True),
        _column("timezone", sa.Text),
        _column("runs_missed", sa.Boolean),
        _column("is_paused", sa.Boolean),
        *(_column(name, sa.BigInteger, is_null=True) for name in ("next_at", "last_slot_at")),
        *(_column(name, sa.BigInteger) for name in ("created_at", "updated_at", "resumed_at")),
        sa.PrimaryKeyConstraint("name", name="pk_signals"),
    )
    op.create_table(
        "signal_locks",
        _column("name", sa.Text),
        *(_column(name, sa.BigInteger) for name in ("fence", "started_at", "lease_until")),
        _column("failures", sa.Integer),
        *(_column(name, sa.Text, is_null=True) for name in ("run_id", "source", "holder")),
        sa.PrimaryKeyConstraint("name", name="pk_signal_locks"),
    )
    op.create_table(
        "signal_runs",
        *(_column(name, sa.Text) for name in ("id", "signal")),
        _column("fence", sa.BigInteger),
        _column("source", sa.Text),
        *(_column(name, sa.BigInteger) for name in ("started_at", "ended_at", "took_ms")),
        *(_column(name, sa.Text) for name in ("outcome", "summary", "params")),
        *(_column(name, sa.Text, is_null=True) for name in ("error", "output")),
        sa.PrimaryKeyConstraint("id", name="pk_signal_runs"),
    )
    op.create_index("ix_signal_runs_signal_id", "signal_runs", ["signal", "id"])
    op.create_table(
        "signal_hours",
        _column("signal", sa.Text),
        _column("hour", sa.Integer),
        _column("outcome", sa.Text),
        _column("runs", sa.Integer),
        *(_column(name, sa.BigInteger) for name in ("total_ms", "slowest_ms")),
        sa.PrimaryKeyConstraint("signal", "hour", "outcome", name="pk_signal_hours"),
    )
    answers = ("started", "skipped", "throttled", "refused", "invalid", "failed")
    op.create_table(
        "signal_minutes",
        _column("signal", sa.Text),
        *(_column(name, sa.Integer) for name in ("minute", *answers, "last_status")),
        _column("last_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("signal", "minute", name="pk_signal_minutes"),
    )
    op.create_table(
        "signal_refusals",
        *(_column(name, sa.Text) for name in ("signal", "place")),
        _column("times", sa.Integer),
        *(_column(name, sa.BigInteger) for name in ("first_at", "last_at")),
        _column("is_told", sa.Boolean),
        sa.PrimaryKeyConstraint("signal", "place", name="pk_signal_refusals"),
    )
    op.create_table(
        "signal_levels",
        *(_column(name, sa.Text) for name in ("signal", "level")),
        _column("since_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("signal", name="pk_signal_levels"),
    )
    if op.get_bind().dialect.name == "postgresql":
        # Room in each page for the next version of a row, which is written with every run.
        op.execute(
            "ALTER TABLE signal_locks SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500)"
        )
        op.execute("ALTER TABLE signal_minutes SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02)")
