"""Entries of the audit log may be dropped once they are old; what is younger stays as it was written, whoever asks.

The floor is the least that the setting `access.audit_retention_days` takes, by the database's own clock.
"""

from alembic import op

revision = "access_0002"
down_revision = "access_0001"
branch_labels = None
depends_on = None

_FLOOR_S = 30 * 86_400


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE OR REPLACE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN"
            f" IF TG_OP = 'DELETE' AND OLD.at < (extract(epoch FROM now()) - {_FLOOR_S}) * 1000 THEN RETURN OLD; END IF;"
            " RAISE EXCEPTION 'the audit log is append-only'; END $$"
        )
        return
    op.execute("DROP TRIGGER audit_no_delete")
    op.execute(
        "CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit"
        f" WHEN OLD.at >= (CAST(strftime('%s', 'now') AS INTEGER) - {_FLOOR_S}) * 1000"
        " BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
    )
