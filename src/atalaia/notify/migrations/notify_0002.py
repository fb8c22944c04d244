"""How far a message has got with each target; to which target a try went."""

import sqlalchemy as sa
from alembic import op

revision = "notify_0002"
down_revision = "notify_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("outbox", sa.Column("progress", sa.Text))
    op.add_column("deliveries", sa.Column("target", sa.Text, nullable=False, server_default=""))
