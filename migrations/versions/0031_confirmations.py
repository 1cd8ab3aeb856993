"""People can be asked before a job starts, and always are before their first tap in a server."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("guilds", sa.Column("confirm_above", sa.Integer()))
    op.create_table(
        "confirmations",
        sa.Column("id", sa.String(16), nullable=False),
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.Column("channel_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("request", sa.JSON(), nullable=False),
        sa.Column("once", sa.Text()),
        sa.Column("origin_message_id", sa.BigInteger()),
        sa.Column("price", sa.Integer(), nullable=False),
        sa.Column("learned", sa.Boolean(), nullable=False),
        sa.Column("why", sa.String(16), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("expires_at", _TIME, nullable=False),
        sa.Column("message_id", sa.BigInteger()),
        sa.Column("used_at", _TIME),
        sa.CheckConstraint("why IN ('first_tap', 'price', 'dearer')", name=op.f("ck_confirmations_why")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_confirmations")),
    )
    op.create_index(op.f("ix_confirmations_guild_id_user_id"), "confirmations", ["guild_id", "user_id"])
    op.create_table(
        "tappers",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("guild_id", "user_id", name=op.f("pk_tappers")),
    )
    # Who has tapped already is not asked.
    op.execute(
        "INSERT INTO tappers (guild_id, user_id, at) "
        "SELECT guild_id, user_id, MIN(created_at) FROM jobs "
        "WHERE tapped IS NOT NULL AND forgotten_at IS NULL GROUP BY guild_id, user_id"
    )
