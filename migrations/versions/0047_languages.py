"""What a channel sees is in the server's language, direct messages in the person's."""

import sqlalchemy as sa
from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("guilds", sa.Column("language", sa.String(16)))
    op.add_column("guilds", sa.Column("admin_language", sa.String(16)))
    op.create_table(
        "member_languages",
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_member_languages")),
    )
    op.create_index(op.f("ix_member_languages_seen_at"), "member_languages", ["seen_at"])
