"""What was sent with a key is one row a process; what failed is counted in the rows of jobs and holds."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from alembic import op

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None

_COUNTED = timedelta(seconds=131)
_NEW = "INSERT INTO lane_windows (lane, epoch, until, counts) VALUES (:lane, 0, :until, :counts)"


def upgrade() -> None:
    op.create_table(
        "lane_windows",
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("lane", "epoch", name="pk_lane_windows"),
    )
    op.add_column("jobs", sa.Column("tries", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("jobs", sa.Column("trouble", sa.String(16)))
    op.add_column("jobs", sa.Column("troubled_at", sa.DateTime(timezone=True)))
    op.add_column("holds", sa.Column("tries", sa.Integer(), nullable=False, server_default="0"))
    _move()
    op.drop_table("lane_requests")


def _move() -> None:
    """Let requests of the last minutes count, whose answers may not have been noted."""
    database, counts = op.get_bind(), dict[str, Counter[int]]()
    requests = sa.table("lane_requests", sa.column("lane"), sa.column("at", sa.DateTime(timezone=True)))
    for lane, at in database.execute(sa.select(requests.c.lane, requests.c.at)):
        until = (at if at.tzinfo else at.replace(tzinfo=UTC)) + _COUNTED
        counts.setdefault(lane, Counter())[int(until.timestamp()) + 1] += 1
    for lane, count in counts.items():
        until = datetime.fromtimestamp(max(count), UTC).replace(microsecond=0)
        values = {"lane": lane, "until": until, "counts": json.dumps(sorted(count.items()))}
        new = sa.text(_NEW).bindparams(sa.bindparam("until", type_=sa.DateTime(timezone=True)))
        database.execute(new, values)
