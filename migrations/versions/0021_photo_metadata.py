"""Servers can choose to keep the metadata of photos."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("guilds", sa.Column("keeps_metadata", sa.Boolean()))
