"""What 429s have told of a key is kept over restarts, and when its plan was chosen."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("studii_keys", sa.Column("plan_at", sa.DateTime(timezone=True)))
    op.create_table(
        "lane_limits",
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("blocked_until", sa.DateTime(timezone=True)),
        sa.Column("paced_until", sa.DateTime(timezone=True)),
        sa.Column("blocks", sa.Integer(), nullable=False),
        sa.Column("plan", sa.Integer(), nullable=False),
        sa.Column("plan_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("odd_at", sa.DateTime(timezone=True)),
        sa.Column("doubted", sa.Boolean(), nullable=False),
        sa.Column("lowered_to", sa.Integer()),
        sa.Column("lowered_until", sa.DateTime(timezone=True)),
        sa.Column("next_lowered", sa.Float(53), nullable=False),
        sa.PrimaryKeyConstraint("lane", name="pk_lane_limits"),
    )
