"""A posting takes the place of its job's card; a server decides whether cards stay."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

SUPERSEDED = sa.text("card_superseded_at IS NOT NULL AND card_message_id IS NOT NULL")


def upgrade() -> None:
    op.add_column("jobs", sa.Column("card_superseded_at", sa.DateTime(timezone=True)))
    op.add_column("jobs", sa.Column("result_by_dm", sa.Boolean()))
    op.create_index(
        "ix_jobs_superseded_cards",
        "jobs",
        ["card_superseded_at"],
        unique=False,
        sqlite_where=SUPERSEDED,
        postgresql_where=SUPERSEDED,
    )
    op.create_table(
        "posting_rules",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("keeps_cards", sa.Boolean()),
        sa.PrimaryKeyConstraint("guild_id", name=op.f("pk_posting_rules")),
    )
