"""Store when a hold of a server's key began. It is None if it began before this version."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("holds", sa.Column("since", sa.DateTime(timezone=True)))
