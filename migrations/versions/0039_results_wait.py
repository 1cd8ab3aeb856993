"""Results can wait for a moderator's decision."""

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

CHECKS = {
    "jobs": (
        "ck_jobs_state",
        "state IN ('received', 'pending', 'waiting', 'uploading', 'submitting', 'running', 'reviewing',"
        " 'succeeded', 'withheld', 'failed', 'cancelled', 'unknown')",
    ),
    "confirmations": (
        "ck_confirmations_why",
        "why IN ('first_tap', 'price', 'dearer', 'seen', 'result_seen')",
    ),
}


def upgrade() -> None:
    op.add_column("jobs", sa.Column("result_approval", sa.String(16)))
    op.add_column("policies", sa.Column("approval_results", sa.Boolean()))
    for table, (name, condition) in CHECKS.items():
        with op.batch_alter_table(table) as changed:
            if op.get_bind().dialect.name != "sqlite":  # where a table that is made anew has no checks
                changed.drop_constraint(op.f(name), type_="check")
            changed.create_check_constraint(op.f(name), condition)
