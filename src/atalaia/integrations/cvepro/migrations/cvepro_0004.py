"""Tags that the vendor's cloud knows; the picture of the garage, and where on it each charger is."""

import sqlalchemy as sa
from alembic import op

revision = "cvepro_0004"
down_revision = "cvepro_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "cvepro_cloud_tags",
        sa.Column("tag", sa.Text, nullable=False),
        *(sa.Column(name, sa.Text) for name in ("pk", "user_name", "flat")),
        sa.Column("is_active", sa.Boolean),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("tag", name="pk_cvepro_cloud_tags"),
    )
    op.create_table(
        "cvepro_plans",
        *(sa.Column(name, sa.Text, nullable=False) for name in ("id", "file_id", "media_type")),
        *(sa.Column(name, sa.Integer, nullable=False) for name in ("width_px", "height_px")),
        sa.Column("changed_by", sa.Text, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_cvepro_plans"),
    )
    op.create_table(
        "cvepro_places",
        sa.Column("charger_key", sa.Text, nullable=False),
        *(sa.Column(name, sa.Float, nullable=False) for name in ("x_percent", "y_percent")),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("charger_key", name="pk_cvepro_places"),
    )
