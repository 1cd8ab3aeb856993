"""Jobs can wait for a moderator's approval."""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

STATES = (
    "state IN ('received', 'pending', 'waiting', 'uploading', 'submitting', 'running', 'succeeded', 'failed',"
    " 'cancelled', 'unknown')"
)


def upgrade() -> None:
    op.add_column("jobs", sa.Column("approval", sa.String(16)))
    with op.batch_alter_table("jobs") as jobs:
        if op.get_bind().dialect.name != "sqlite":  # where a table that is made anew has no checks
            jobs.drop_constraint(op.f("ck_jobs_state"), type_="check")
        jobs.create_check_constraint(op.f("ck_jobs_state"), STATES)
    op.add_column("policies", sa.Column("approval_channel", sa.BigInteger()))
    op.add_column("policies", sa.Column("approver_role", sa.BigInteger()))
    op.add_column("policies", sa.Column("approval_everyone", sa.Boolean()))
