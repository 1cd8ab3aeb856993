"""Jobs are found by the message of their photo. Questions are kept otherwise: those that are open go."""

import sqlalchemy as sa
from alembic import op

revision = "0058"
down_revision = "0057"
branch_labels = None
depends_on = None


def upgrade() -> None:
    rows = sa.text("source_message_id IS NOT NULL")
    op.create_index("ix_jobs_photos", "jobs", ["source_message_id"], sqlite_where=rows, postgresql_where=rows)
    op.execute(sa.text("DELETE FROM confirmations"))
