"""How long jobs took: an interval for each job that ended, by tool and kind of output."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "durations",
        sa.Column("id", NUMBER, autoincrement=True, nullable=False),
        sa.Column("tool", sa.Text(), nullable=False),
        sa.Column("output_kind", sa.Text(), nullable=False),
        sa.Column("low", sa.Float(53), nullable=False),
        sa.Column("high", sa.Float(53), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_durations"),
    )
    op.create_index("ix_durations_tool_output_kind_id", "durations", ["tool", "output_kind", "id"])
