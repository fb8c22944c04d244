"""Schedules belong to signals: a job made by the clock is a signal with the task `job` and a cron expression."""

from alembic import op

revision = "jobs_0002"
down_revision = "jobs_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_table("job_schedules")
