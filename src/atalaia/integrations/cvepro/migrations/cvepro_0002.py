"""Residents with their tags, tariffs, reports, notices with their words, who waits."""

import sqlalchemy as sa
from alembic import op

revision = "cvepro_0002"
down_revision = "cvepro_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _residents()
    _rosters()
    _tariffs()
    _reports()
    _notices()


def _residents() -> None:
    op.create_table(
        "cvepro_residents",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("flat", sa.Text, nullable=False),
        *(sa.Column(name, sa.Text) for name in ("phone", "email", "person_id")),
        sa.Column("locale", sa.Text, nullable=False),
        sa.Column("opted_in_at", sa.BigInteger),
        sa.Column("notices", sa.Text, nullable=False),
        sa.Column("refused_phone", sa.Text),
        sa.Column("is_active", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_cvepro_residents"),
        sa.UniqueConstraint("person_id", name="uq_cvepro_residents_person_id"),
    )
    op.create_index("ix_cvepro_residents_flat", "cvepro_residents", ["flat"])
    op.create_table(
        "cvepro_tags",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("tag", sa.Text, nullable=False),
        sa.Column("resident_id", sa.Text, nullable=False),
        sa.Column("label", sa.Text),
        sa.Column("since_at", sa.BigInteger),
        sa.Column("until_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_cvepro_tags"),
    )
    op.create_index("ix_cvepro_tags_resident_id", "cvepro_tags", ["resident_id"])
    op.create_index("ix_cvepro_tags_tag_since_at", "cvepro_tags", ["tag", "since_at"])
    is_held = sa.text("until_at IS NULL")
    op.create_index(
        "uq_cvepro_tags_held", "cvepro_tags", ["tag"], unique=True, sqlite_where=is_held, postgresql_where=is_held
    )
    op.add_column("cvepro_sessions", sa.Column("tag_key", sa.Text))
    op.create_index("ix_cvepro_sessions_tag_key_sort_at", "cvepro_sessions", ["tag_key", "sort_at"])
    op.create_index("ix_cvepro_sessions_tag_pk_sort_at", "cvepro_sessions", ["tag_pk", "sort_at"])
    sessions = sa.table("cvepro_sessions", sa.column("tag"), sa.column("tag_key"))
    key: sa.ColumnElement[str] = sa.func.upper(sessions.c.tag)
    for separator in " -:._/":  # as model.residents.tag_key writes it
        key = sa.func.replace(key, separator, "")
    op.execute(sa.update(sessions).values(tag_key=key))


def _rosters() -> None:
    op.create_table(
        "cvepro_rosters",
        *(sa.Column(name, sa.Text, nullable=False) for name in ("id", "file_id", "name")),
        sa.Column("may_move", sa.Boolean, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("created_at", "expires_at")),
        sa.Column("done_at", sa.BigInteger),
        sa.Column("counts", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_cvepro_rosters"),
    )


def _tariffs() -> None:
    for column in (
        sa.Column("priced_by", sa.Text),
        sa.Column("priced_micros", sa.BigInteger),
        sa.Column("priced_parts", sa.Text),
    ):
        op.add_column("cvepro_sessions", column)
    is_unpriced = sa.text("priced_by IS NULL AND stopped_at IS NOT NULL")
    op.create_index(
        "ix_cvepro_sessions_unpriced",
        "cvepro_sessions",
        ["sort_at"],
        sqlite_where=is_unpriced,
        postgresql_where=is_unpriced,
    )
    is_doubtful = sa.text("doubts != '[]'")
    op.create_index(
        "ix_cvepro_sessions_doubtful",
        "cvepro_sessions",
        ["sort_at", "id"],
        sqlite_where=is_doubtful,
        postgresql_where=is_doubtful,
    )
    op.create_table(
        "cvepro_tariffs",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("first_day", sa.Text, nullable=False),
        sa.Column("terms", sa.Text, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_cvepro_tariffs"),
        sa.UniqueConstraint("first_day", name="uq_cvepro_tariffs_first_day"),
    )


def _reports() -> None:
    op.create_table(
        "cvepro_reports",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("month", sa.Text, nullable=False),
        sa.Column("flat", sa.Text),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("title", "format", "file_id")),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("job_id", sa.Text),
        sa.Column("holders", sa.Text, nullable=False),
        sa.Column("draft", sa.Text),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_cvepro_reports"),
    )
    op.create_index("ix_cvepro_reports_month_flat", "cvepro_reports", ["month", "flat"])
    op.create_index("ix_cvepro_reports_flat", "cvepro_reports", ["flat"])
    op.create_table(
        "cvepro_report_orders",
        *(sa.Column(name, sa.Text, nullable=False) for name in ("job_id", "month", "which")),
        sa.Column("flat", sa.Text),
        sa.Column("is_scheduled", sa.Boolean, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("job_id", name="pk_cvepro_report_orders"),
    )


def _notices() -> None:
    op.create_table(
        "cvepro_notices",
        *(sa.Column(name, sa.Text, nullable=False) for name in ("subject", "kind", "resident_id")),
        sa.Column("message_id", sa.Text),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("fate", "reason", "text", "phone")),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("settled_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("subject", "kind", name="pk_cvepro_notices"),
    )
    op.create_index("ix_cvepro_notices_created_at", "cvepro_notices", ["created_at"])
    op.create_index("ix_cvepro_notices_resident_id", "cvepro_notices", ["resident_id", "created_at"])
    op.create_index("ix_cvepro_notices_message_id", "cvepro_notices", ["message_id"])
    op.create_table(
        "cvepro_templates",
        *(sa.Column(name, sa.Text, nullable=False) for name in ("kind", "locale", "text", "changed_by")),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("kind", "locale", name="pk_cvepro_templates"),
    )
    op.create_table(
        "cvepro_waits",
        sa.Column("resident_id", sa.Text, nullable=False),
        sa.Column("charger_key", sa.Text, nullable=False),
        sa.Column("asked_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("resident_id", "charger_key", name="pk_cvepro_waits"),
    )
