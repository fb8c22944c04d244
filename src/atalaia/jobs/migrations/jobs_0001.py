"""Jobs: their queue, leases, steps and ends; lanes, limits, workers and schedules."""

import sqlalchemy as sa
from alembic import op

revision = "jobs_0001"
down_revision = None
branch_labels = ("jobs",)
depends_on = None

_ROW_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def _column(name: str, kind: object, *, is_null: bool = False) -> sa.Column:  # type: ignore[type-arg]
    return sa.Column(name, kind, nullable=is_null)  # type: ignore[arg-type]


def _index(name: str, table: str, columns: list[str], where: str, *, unique: bool = False) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, unique=unique, sqlite_where=condition, postgresql_where=condition)


def upgrade() -> None:
    _make_jobs()
    _make_queue()
    _make_ends_and_steps()
    _make_surroundings()
    if op.get_bind().dialect.name == "postgresql":
        _tune_postgresql()


def _make_jobs() -> None:
    op.create_table(
        "job_lanes",
        sa.Column("id", _ROW_ID, nullable=False, autoincrement=True),
        _column("type", sa.Text),
        _column("queue", sa.Text),
        _column("is_resolve", sa.SmallInteger),
        sa.PrimaryKeyConstraint("id", name="pk_job_lanes"),
    )
    op.create_index("uq_job_lanes_type_queue_is_resolve", "job_lanes", ["type", "queue", "is_resolve"], unique=True)
    op.create_table(
        "jobs",
        sa.Column("seq", _ROW_ID, nullable=False, autoincrement=True, primary_key=True),
        _column("id", sa.Text),
        _column("lane", sa.Integer),
        _column("priority", sa.SmallInteger),
        _column("max_attempts", sa.SmallInteger),
        _column("created_at", sa.BigInteger),
        _column("run_at", sa.BigInteger, is_null=True),
        _column("created_by", sa.Text),
        _column("unique_key", sa.Text, is_null=True),
        _column("concurrency_key", sa.Text, is_null=True),
        _column("payload_sha256", sa.Text),
        _column("payload", sa.Text),
        sqlite_autoincrement=True,  # a number never comes again, so that a token is of one job for ever
    )
    op.create_index("uq_jobs_id", "jobs", ["id"], unique=True)
    op.create_index("ix_jobs_lane_seq", "jobs", ["lane", "seq"])


def _make_queue() -> None:
    small = ("place", "phase", "rank", "attempts", "max_attempts", "lost", "irreversible", "is_cancelled", "is_resolve")
    times = ("lease", "due_at", "changed_at", "leased_until", "deadline_at")
    op.create_table(
        "job_queue",
        sa.Column("seq", _ROW_ID, nullable=False, autoincrement=False),
        *(_column(name, sa.SmallInteger) for name in small),
        _column("lane", sa.Integer),
        _column("ttl_ms", sa.Integer),
        *(_column(name, sa.BigInteger) for name in times),
        _column("answered", sa.BigInteger, is_null=True),
        _column("request", sa.BigInteger, is_null=True),
        _column("id", sa.Text),
        _column("token", sa.Text),
        *(_column(name, sa.Text, is_null=True) for name in ("worker", "unique_key", "concurrency_key", "error")),
        sa.PrimaryKeyConstraint("seq", name="pk_job_queue"),
    )
    _index("ix_job_queue_ready", "job_queue", ["lane", "rank", "due_at", "seq"], "place = 1")
    _index("ix_job_queue_scheduled", "job_queue", ["due_at"], "place = 0")
    _index("ix_job_queue_held", "job_queue", ["seq"], "place = 3")
    key = ["concurrency_key", "place", "rank", "due_at", "seq"]
    _index("ix_job_queue_concurrency_key", "job_queue", key, "concurrency_key IS NOT NULL")
    _index("ix_job_queue_resolve", "job_queue", ["deadline_at"], "is_resolve = 1")
    _index("uq_job_queue_unique_key", "job_queue", ["unique_key"], "unique_key IS NOT NULL", unique=True)


def _make_ends_and_steps() -> None:
    op.create_table(
        "job_ends",
        sa.Column("seq", _ROW_ID, nullable=False, autoincrement=False),
        *(_column(name, sa.SmallInteger) for name in ("state", "attempts", "lost")),
        *(_column(name, sa.BigInteger) for name in ("lease", "ended_at")),
        _column("answered", sa.BigInteger, is_null=True),
        _column("token", sa.Text),
        *(_column(name, sa.Text, is_null=True) for name in ("worker", "result", "error")),
        sa.PrimaryKeyConstraint("seq", name="pk_job_ends"),
    )
    _index("ix_job_ends_state_seq", "job_ends", ["state", "seq"], "state <> 0")
    op.create_table(
        "job_steps",
        _column("seq", _ROW_ID),
        _column("lease", sa.BigInteger),
        _column("n", sa.Integer),
        *(_column(name, sa.SmallInteger) for name in ("attempt", "rank", "is_irreversible")),
        _column("started_at", sa.BigInteger),
        _column("ended_at", sa.BigInteger, is_null=True),
        *(_column(name, sa.Text) for name in ("state", "name", "data")),
        sa.PrimaryKeyConstraint("seq", "lease", "n", name="pk_job_steps"),
    )


def _make_surroundings() -> None:
    op.create_table(
        "job_requests",
        *(_column(name, sa.Text) for name in ("requester", "key", "fingerprint", "answer")),
        _column("created_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("requester", "key", name="pk_job_requests"),
    )
    op.create_index("ix_job_requests_created_at", "job_requests", ["created_at"])
    op.create_table(
        "job_limits",
        *(_column(name, sa.Text) for name in ("scope", "name")),
        *(_column(name, sa.Integer, is_null=True) for name in ("max_leased", "rate")),
        _column("period_s", sa.Integer),
        _column("window_at", sa.BigInteger),
        _column("used", sa.Integer),
        sa.PrimaryKeyConstraint("scope", "name", name="pk_job_limits"),
    )
    op.create_table(
        "job_workers",
        *(_column(name, sa.Text) for name in ("id", "incarnation", "version", "commit_id", "types", "address")),
        _column("is_draining", sa.Boolean),
        *(_column(name, sa.BigInteger) for name in ("first_seen_at", "seen_at")),
        sa.PrimaryKeyConstraint("id", name="pk_job_workers"),
    )
    op.create_table(
        "job_schedules",
        *(_column(name, sa.Text) for name in ("id", "name", "cron", "timezone", "type", "queue")),
        _column("priority", sa.SmallInteger),
        _column("payload", sa.Text),
        _column("concurrency_key", sa.Text, is_null=True),
        *(_column(name, sa.Boolean) for name in ("runs_missed", "is_active")),
        *(_column(name, sa.BigInteger, is_null=True) for name in ("next_at", "last_at")),
        _column("last_job_id", sa.Text, is_null=True),
        _column("created_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_job_schedules"),
        sa.UniqueConstraint("name", name="uq_job_schedules_name"),
    )


def _tune_postgresql() -> None:
    # Room in each page for the next version of a row: a renewal then moves no index and is cleaned up in passing.
    op.execute(
        "ALTER TABLE job_queue SET (fillfactor = 60, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000,"
        " autovacuum_vacuum_insert_scale_factor = 0.2, autovacuum_vacuum_cost_delay = 0, autovacuum_analyze_threshold = 5000)"
    )
    op.execute("ALTER TABLE jobs SET (autovacuum_vacuum_insert_scale_factor = 0.1)")
    op.execute("ALTER TABLE job_ends SET (autovacuum_vacuum_insert_scale_factor = 0.1)")
    # A repeated request is looked for on every hub; on SQLite the one hub remembers.
    op.execute("CREATE INDEX ix_job_queue_request ON job_queue (request) WHERE place = 3")
