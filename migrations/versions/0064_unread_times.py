"""Times that nothing reads go."""

from alembic import op

revision = "0064"
down_revision = "0063"
branch_labels = None
depends_on = None

_UNREAD = {
    "styles": "created_at",
    "word_rules": "at",
    "confirmations": "created_at",
}


def upgrade() -> None:
    for table, column in _UNREAD.items():
        op.drop_column(table, column)
