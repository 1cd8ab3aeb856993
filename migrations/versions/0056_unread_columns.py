"""Times that nothing reads go."""

from alembic import op

revision = "0056"
down_revision = "0055"
branch_labels = None
depends_on = None

_UNREAD = {
    "guilds": "key_changed_at",
    "credit_requests": "answered_at",
    "tappers": "at",
    "durations": "at",
}


def upgrade() -> None:
    for table, column in _UNREAD.items():
        op.drop_column(table, column)
