"""Which of a lane's requests had been answered, so that a restart knows what may still be counted."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("lane_requests", sa.Column("settled", sa.DateTime(timezone=True)))


def downgrade() -> None:
    op.drop_column("lane_requests", "settled")
