"""Starred results are shown in a channel, with their makers' consent."""

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "best_results",
        sa.Column("message_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.Column("channel_id", sa.BigInteger(), nullable=False),
        sa.Column("job_id", sa.String(16), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("wanted", sa.Boolean(), nullable=False),
        sa.Column("since", _TIME, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("begun_at", _TIME),
        sa.Column("posted_channel_id", sa.BigInteger()),
        sa.Column("posted_message_id", sa.BigInteger()),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_best_results")),
    )
    op.create_index(op.f("ix_best_results_user_id"), "best_results", ["user_id"])
    rows = sa.text("posted_message_id IS NULL OR NOT wanted")
    op.create_index(
        "ix_best_results_open", "best_results", ["since"], sqlite_where=rows, postgresql_where=rows
    )
    op.create_table(
        "best_consents",
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("agreed", sa.Boolean()),
        sa.Column("at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_best_consents")),
    )
    op.add_column("posting_rules", sa.Column("best_channel_id", sa.BigInteger()))
    op.add_column("posting_rules", sa.Column("best_stars", sa.Integer()))
    shown = sa.text("result_message_id IS NOT NULL")
    op.create_index(
        "ix_jobs_results", "jobs", ["result_message_id"], sqlite_where=shown, postgresql_where=shown
    )
