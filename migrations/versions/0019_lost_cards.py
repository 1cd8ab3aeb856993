"""Cards whose message id was never stored are found from an index."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

CARD_NEVER_SEEN = sa.text("origin_message_id IS NULL AND card_message_id IS NULL AND card_version = 0")


def upgrade() -> None:
    op.create_index(
        "ix_jobs_lost_cards",
        "jobs",
        ["created_at"],
        unique=False,
        sqlite_where=CARD_NEVER_SEEN,
        postgresql_where=CARD_NEVER_SEEN,
    )
