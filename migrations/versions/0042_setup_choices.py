"""Servers choose where requests for credits go, and it is known that a panel was posted."""

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("log_channels", sa.Column("requests_in_place", sa.Boolean()))
    op.add_column("guilds", sa.Column("panel_posted_at", sa.DateTime(timezone=True)))
