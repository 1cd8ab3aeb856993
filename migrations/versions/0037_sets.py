"""Jobs that were asked for together, with several photos, have the same set."""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("set_id", sa.String(16)))
    rows = sa.text("set_id IS NOT NULL")
    op.create_index("ix_jobs_sets", "jobs", ["set_id"], sqlite_where=rows, postgresql_where=rows)
