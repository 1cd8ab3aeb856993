"""An emoji can run a server's style."""

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("reaction_emoji", sa.Column("style_id", sa.String(16)))
