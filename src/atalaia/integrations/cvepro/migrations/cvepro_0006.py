"""Since when a resident is of the flat: those who move to another read nothing of its household before."""

import sqlalchemy as sa
from alembic import op

revision = "cvepro_0006"
down_revision = "cvepro_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("cvepro_residents", sa.Column("flat_since_at", sa.BigInteger))
