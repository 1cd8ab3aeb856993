"""Progress is the interaction's own answer: cards go, and answers are kept until their tokens expire."""

import sqlalchemy as sa
from alembic import op

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
# Cards that stand in channels and are not up to date any more are removed, as offers are.
_REMOVE_CARDS = """
INSERT INTO posts (guild_id, kind, key, details, created_at, changed_at, place, due_at, expires_at, refused,
 wanted, version, shown_version, message_id, number, tries)
SELECT guild_id, 'offer', CAST(card_message_id AS TEXT), '{}', MAX(changed_at), MAX(changed_at),
 'c' || CAST(channel_id AS TEXT), MAX(changed_at), MAX(changed_at), '[]', :yes, 1, 1, card_message_id, 0, 0
FROM jobs
WHERE card_message_id IS NOT NULL AND NOT private
 AND (card_superseded_at IS NOT NULL OR card_version < version
  OR state NOT IN ('succeeded', 'failed', 'cancelled', 'withheld', 'unknown'))
GROUP BY guild_id, channel_id, card_message_id
"""
_INDEXES = ("stale_cards", "wanted_cards", "lost_cards", "superseded_cards")


def upgrade() -> None:
    op.create_table(
        "answers",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("late", sa.String(8), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("life", sa.BigInteger(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("due_at", _TIME, nullable=False),
        sa.Column("subject", sa.String(16)),
        sa.Column("shown", sa.String(16), nullable=False),
        sa.Column("edited_at", _TIME),
        sa.Column("tries", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answers")),
    )
    rows = sa.text("subject IS NOT NULL")
    op.create_index("ix_answers_subject", "answers", ["subject"], sqlite_where=rows, postgresql_where=rows)
    op.create_index("ix_answers_due_at", "answers", ["due_at"])
    op.get_bind().execute(sa.text(_REMOVE_CARDS), {"yes": True})
    op.drop_table("deferrals")
    for name in _INDEXES:
        op.drop_index(f"ix_jobs_{name}", "jobs")
    rows = sa.text("origin_message_id IS NOT NULL")
    op.create_index(
        "ix_jobs_origins", "jobs", ["origin_message_id"], sqlite_where=rows, postgresql_where=rows
    )
    for column in ("card_message_id", "card_version", "card_superseded_at"):
        op.drop_column("jobs", column)
    op.drop_column("posting_rules", "keeps_cards")
