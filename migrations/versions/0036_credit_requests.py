"""Members can ask admins for more credits."""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
_STATES = "'open', 'granted', 'declined', 'expired', 'left'"


def upgrade() -> None:
    op.create_table(
        "credit_requests",
        sa.Column("id", sa.String(16), nullable=False),
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("channel_id", sa.BigInteger(), nullable=False),
        sa.Column("tool", sa.Text(), nullable=False),
        sa.Column("price", sa.Integer(), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.Column("of_member", sa.Boolean(), nullable=False),
        sa.Column("of_server", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("answered_by", sa.BigInteger()),
        sa.Column("answered_at", _TIME),
        sa.CheckConstraint(f"state IN ({_STATES})", name=op.f("ck_credit_requests_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credit_requests")),
    )
    op.create_index(
        "uq_credit_requests_open",
        "credit_requests",
        ["guild_id", "user_id"],
        unique=True,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
