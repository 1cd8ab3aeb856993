"""Results may be posted in another channel or in a thread, beside a picture that is half before."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("post_channel_id", sa.BigInteger()))
    op.add_column("jobs", sa.Column("result_channel_id", sa.BigInteger()))
    op.add_column("jobs", sa.Column("in_thread", sa.Boolean()))
    op.add_column("posting_rules", sa.Column("results_channel_id", sa.BigInteger()))
    op.add_column("posting_rules", sa.Column("in_threads", sa.Boolean()))
    op.add_column("posting_rules", sa.Column("splits", sa.Boolean()))
