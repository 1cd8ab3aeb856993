"""What happens under photos, and jobs that start there."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

NO_CARD_YET = "origin_message_id IS NOT NULL AND card_message_id IS NULL AND card_version = 0"
GOING_OR_DONE = "once IS NOT NULL AND state NOT IN ('failed', 'cancelled')"


def upgrade() -> None:
    op.add_column("jobs", sa.Column("origin_message_id", sa.BigInteger(), nullable=True))
    op.add_column("jobs", sa.Column("once", sa.Text(), nullable=True))
    _partial_index("ix_jobs_wanted_cards", ["state", "number"], NO_CARD_YET, unique=False)
    _partial_index("uq_jobs_once", ["once"], GOING_OR_DONE, unique=True)
    op.create_table(
        "reaction_places",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("channel_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("guild_id", "channel_id", name="pk_reaction_places"),
    )
    op.create_table(
        "reaction_emoji",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("emoji", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("emoji_id", sa.BigInteger(), nullable=False),
        sa.Column("animated", sa.Boolean(), nullable=False),
        sa.Column("tool", sa.Text(), nullable=True),
        sa.Column("inputs", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("guild_id", "emoji", name="pk_reaction_emoji"),
    )
    op.create_table(
        "photo_channels",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("channel_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("tool", sa.Text(), nullable=True),
        sa.Column("inputs", sa.JSON(), nullable=False),
        sa.Column("most", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("guild_id", "channel_id", name="pk_photo_channels"),
    )


def _partial_index(name: str, columns: list[str], rows: str, *, unique: bool) -> None:
    op.create_index(
        name, "jobs", columns, unique=unique, sqlite_where=sa.text(rows), postgresql_where=sa.text(rows)
    )
