"""Of what 429s have shown, three times are kept. What was stored before held for a while, and is dropped."""

import sqlalchemy as sa
from alembic import op

revision = "0060"
down_revision = "0059"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_table("lane_limits")
    times = ("blocked_until", "odd_at", "lowered_until")
    op.create_table(
        "lane_limits",
        sa.Column("lane", sa.Text(), nullable=False),
        *(sa.Column(name, sa.DateTime(timezone=True), nullable=False) for name in times),
        sa.PrimaryKeyConstraint("lane", name="pk_lane_limits"),
    )
