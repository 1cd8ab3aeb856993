"""Offers of tools are posts."""

import sqlalchemy as sa
from alembic import op

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None

_MOVE = """
INSERT INTO posts (guild_id, kind, key, details, created_at, changed_at, place, due_at, expires_at, refused,
 wanted, version, shown_version, message_id, number, tries)
SELECT guild_id, 'offer', CAST(message_id AS TEXT), '{}', expires_at, expires_at,
 'c' || CAST(channel_id AS TEXT), expires_at, expires_at, '[]', :yes, 1, 1, message_id, 0, 0
FROM offers
"""


def upgrade() -> None:
    op.get_bind().execute(sa.text(_MOVE), {"yes": True})
    op.drop_table("offers")
