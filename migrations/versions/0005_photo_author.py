"""Jobs keep who posted their photo, for those who use the result later."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("photo_author", sa.BigInteger()))
