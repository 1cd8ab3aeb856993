"""Results say that they were made with AI, and staged pictures may have a labelled copy."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("posting_rules", sa.Column("disclosure", sa.Text()))
    op.add_column("posting_rules", sa.Column("staging_label", sa.Text()))
    op.add_column("posting_rules", sa.Column("staging_corner", sa.String(16)))
