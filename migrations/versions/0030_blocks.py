"""Blocks have a reason and an end, word rules' refusals count, and each reason is told once."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
BLOCKED = "blocked"


def upgrade() -> None:
    op.create_table(
        "blocks",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("automatic", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("until", MOMENT),
        sa.PrimaryKeyConstraint("guild_id", "user_id", name=op.f("pk_blocks")),
    )
    lists = sa.table(
        "access_lists", *(sa.column(name, sa.BigInteger()) for name in ("guild_id", "subject_id", "list"))
    )
    blocks = sa.table(
        "blocks",
        sa.column("guild_id", sa.BigInteger()),
        sa.column("user_id", sa.BigInteger()),
        sa.column("automatic", sa.Boolean()),
    )
    listed = sa.cast(lists.c.list, sa.String(16)) == BLOCKED
    blocked = sa.select(lists.c.guild_id, lists.c.subject_id, sa.false()).where(listed)
    op.execute(sa.insert(blocks).from_select(["guild_id", "user_id", "automatic"], blocked))
    op.execute(sa.delete(lists).where(listed))
    op.create_table(
        "word_refusals",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_word_refusals")),
    )
    op.create_index("ix_word_refusals_guild_id_user_id_at", "word_refusals", ["guild_id", "user_id", "at"])
    op.add_column("policies", sa.Column("refusals", sa.Integer()))
    op.add_column("policies", sa.Column("pause_hours", sa.Integer()))
    op.drop_table("credits_told")
    op.create_table(
        "refusals_told",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("reason", sa.String(16), nullable=False),
        sa.Column("told_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("guild_id", "user_id", "reason", name=op.f("pk_refusals_told")),
    )
