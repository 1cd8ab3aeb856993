"""Servers that paused or removed the bot; what of a job was erased."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    for name in ("paused_at", "left_at", "greeted_at"):
        op.add_column("guilds", sa.Column(name, MOMENT, nullable=True))
    for name in ("forgotten_at", "scrubbed_at"):
        op.add_column("jobs", sa.Column(name, MOMENT, nullable=True))
