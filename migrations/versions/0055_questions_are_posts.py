"""Questions under photos and refusals are posts."""

from alembic import op

revision = "0055"
down_revision = "0054"
branch_labels = None
depends_on = None

_ASKED = """
INSERT INTO posts (guild_id, kind, key, details, created_at, changed_at, place, due_at, expires_at, refused,
 wanted, version, shown_version, message_id, number, tries)
SELECT guild_id, 'question', id, '{}', created_at, created_at, 'c' || CAST(channel_id AS TEXT), expires_at,
 expires_at, '[]', used_at IS NULL, 1, 1, message_id, 0, 0
FROM confirmations
WHERE message_id IS NOT NULL
"""


def upgrade() -> None:
    op.execute(_ASKED)
    # Those that were answered are over.
    op.execute("UPDATE confirmations SET expires_at = used_at WHERE used_at IS NOT NULL")
    for column in ("message_id", "used_at"):
        op.drop_column("confirmations", column)
    op.drop_table("refusals_told")
