"""Starred results are posts."""

import hashlib
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0054"
down_revision = "0053"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
_BEST = sa.table(
    "best_results",
    *map(
        sa.column, ("message_id", "guild_id", "channel_id", "job_id", "wanted", "number", "posted_channel_id")
    ),
    *map(sa.column, ("posted_message_id",)),
    *(sa.column(name, _TIME) for name in ("since", "begun_at")),
)
_RULES = sa.table("posting_rules", sa.column("guild_id"), sa.column("best_channel_id"))
_JOBS = sa.table("jobs", sa.column("id"))
_POSTS = sa.table(
    "posts",
    *map(sa.column, ("guild_id", "kind", "key", "job_id", "place", "version", "number", "wanted")),
    *map(sa.column, ("shown_version", "message_id", "tries")),
    *(sa.column(name, sa.JSON()) for name in ("details", "refused")),
    *(sa.column(name, _TIME) for name in ("created_at", "changed_at", "due_at", "begun_at")),
)


def upgrade() -> None:
    database = op.get_bind()
    found = sa.select(_BEST, _RULES.c.best_channel_id)
    found = found.join(_JOBS, _JOBS.c.id == _BEST.c.job_id)
    found = found.join(_RULES, _RULES.c.guild_id == _BEST.c.guild_id, isouter=True)
    rows = database.execute(found.order_by(_BEST.c.since)).mappings().all()
    if rows:
        database.execute(sa.insert(_POSTS), [_post(row) for row in rows])
    op.drop_table("best_results")


def _post(row: sa.RowMapping) -> dict[str, object]:
    there, stands = row["posted_channel_id"] or row["best_channel_id"], row["posted_message_id"] is not None
    begun = row["begun_at"] is not None and not stands and there is not None
    # What marks the message that an earlier version sent, by which it is found.
    digest = hashlib.sha256(f"b{row['job_id']}-{row['number']}".encode()).digest()
    mark = (1 << 29) + int.from_bytes(digest[:4], "big") % (1 << 28)
    return {
        "guild_id": row["guild_id"],
        "kind": "best",
        "key": str(row["message_id"]),
        "job_id": row["job_id"],
        "place": f"s{row['guild_id']}" if there is None else f"c{there}",
        "details": {"channel": row["channel_id"], "message": row["message_id"], "mark": mark},
        "refused": [],
        "created_at": row["since"],
        "changed_at": row["since"],
        "due_at": None if stands and row["wanted"] else datetime.now(UTC),
        "begun_at": row["begun_at"] if begun else None,
        "message_id": row["posted_message_id"],
        "wanted": row["wanted"],
        "version": 1,
        "shown_version": int(stands),
        "number": 0,
        "tries": 0,
    }
