"""Notes of its runs, in order."""

import sqlalchemy as sa
from alembic import op

revision = "lookout_0001"
down_revision = None
branch_labels = ("lookout",)
depends_on = None


def upgrade() -> None:
    op.create_table(
        "lookout_notes",
        sa.Column("seq", sa.Integer, nullable=False, autoincrement=True),
        sa.Column("fence", sa.BigInteger, nullable=False),
        sa.Column("word", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_lookout_notes"),
    )
