"""Servers that seem to have removed the bot, many at once: they wait for the operator's word."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("guilds", sa.Column("missing_since", sa.DateTime(timezone=True)))
