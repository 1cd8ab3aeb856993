"""Jobs keep which channel their photo's message is in: a result may be posted in another one."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("source_channel_id", sa.BigInteger()))
