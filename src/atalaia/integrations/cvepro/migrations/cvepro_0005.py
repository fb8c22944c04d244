"""Sessions that the vendor's cloud and the charger itself both tell of: one counts, the other is set aside."""

import sqlalchemy as sa
from alembic import op

revision = "cvepro_0005"
down_revision = "cvepro_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("same_as", "apart_by"):
        op.add_column("cvepro_sessions", sa.Column(name, sa.Text))
    is_aside = sa.text("same_as IS NOT NULL")
    op.create_index(
        "ix_cvepro_sessions_same_as", "cvepro_sessions", ["same_as"], sqlite_where=is_aside, postgresql_where=is_aside
    )
