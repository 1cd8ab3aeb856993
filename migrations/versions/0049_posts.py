"""What should stand in Discord is in one table; notices are moved there."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
# What was to be posted may have been, without our knowing. It is found by the number of its first component,
# which is that of the row: the numbers are kept.
_MOVE = """
INSERT INTO posts (id, guild_id, kind, key, details, created_at, changed_at, job_id, place, due_at, refused,
 wanted, version, shown_version, message_id, begun_at, number, tries)
SELECT id, guild_id, kind, key, details, created_at, created_at, job_id, :place,
 CASE WHEN posted_at IS NULL THEN created_at END, '[]', :yes, 1,
 CASE WHEN posted_at IS NULL THEN 0 ELSE 1 END, message_id,
 CASE WHEN posted_at IS NULL THEN created_at END, 0, 0
FROM notices WHERE kind <> 'decided'
"""
_ASKED = "SELECT id, details FROM notices WHERE kind IN ('approval', 'review')"
_DECIDED = "SELECT guild_id, key, created_at FROM notices WHERE kind = 'decided' AND posted_at IS NULL"
_TO_REDUCE = """
UPDATE posts SET version = 2, due_at = :at, changed_at = :at
WHERE guild_id = :guild AND kind = :kind AND key = :key AND message_id IS NOT NULL
"""


def upgrade() -> None:
    op.create_table(
        "posts",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("changed_at", _TIME, nullable=False),
        sa.Column("place", sa.String(24), nullable=False),
        sa.Column("due_at", _TIME),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("refused", sa.JSON(), nullable=False),
        sa.Column("job_id", sa.String(16)),
        sa.Column("wanted", sa.Boolean(), nullable=False),
        sa.Column("expires_at", _TIME),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("shown_version", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.BigInteger()),
        sa.Column("begun_at", _TIME),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("tries", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_posts_job_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_posts")),
        sa.UniqueConstraint("guild_id", "kind", "key", name=op.f("uq_posts_guild_id_kind_key")),
        sqlite_autoincrement=True,
    )
    rows = sa.text("due_at IS NOT NULL")
    op.create_index("ix_posts_due_at", "posts", ["due_at", "place"], sqlite_where=rows, postgresql_where=rows)
    database = op.get_bind()
    database.execute(sa.text(_MOVE), {"place": "s", "yes": True})
    for number, details in database.execute(sa.text(_ASKED)).all():
        there = (json.loads(details) if isinstance(details, str) else details).get("channel")
        if there is not None:
            where = {"id": number, "place": f"c{there}"}
            database.execute(sa.text("UPDATE posts SET place = :place, details = '{}' WHERE id = :id"), where)
    for guild_id, name, at in database.execute(sa.text(_DECIDED)).all():
        kind, _, key = name.partition(":")
        database.execute(sa.text(_TO_REDUCE), {"at": at, "guild": guild_id, "kind": kind, "key": key})
    database.execute(sa.text("UPDATE posts SET place = 's' || guild_id WHERE place = 's'"))
    if database.dialect.name == "postgresql":
        following = "SELECT setval('posts_id_seq', (SELECT COALESCE(MAX(id), 0) + 1 FROM posts), false)"
        database.execute(sa.text(following))
    op.drop_table("notices")
