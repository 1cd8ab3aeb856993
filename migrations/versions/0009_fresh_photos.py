"""Jobs keep which message their photo stands in: its address is good for a day, the message for longer."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("source_message_id", sa.BigInteger()))
