"""Ends of jobs are posts: those that are still to be posted, and those that may have to be removed."""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None

_ENDED = ("succeeded", "withheld", "failed", "cancelled", "unknown")
_LASTING = ("withheld", "unknown")
_TIME = sa.DateTime(timezone=True)
_JOBS = sa.table(
    "jobs",
    *map(sa.column, ("number", "id", "guild_id", "channel_id", "user_id", "private", "state", "set_id")),
    *map(sa.column, ("set_message", "posting", "post_channel_id", "in_thread", "origin_message_id")),
    *map(sa.column, ("source_message_id", "source_channel_id", "card_message_id", "result_message_id")),
    sa.column("result_channel_id"),
    sa.column("created_at", _TIME),
    sa.column("changed_at", _TIME),
    sa.column("announced_at", _TIME),
)
_POSTS = sa.table(
    "posts",
    *map(sa.column, ("guild_id", "kind", "key", "job_id", "place", "version", "number", "wanted")),
    *map(sa.column, ("shown_version", "message_id", "tries")),
    *(sa.column(name, sa.JSON()) for name in ("details", "refused")),
    *(sa.column(name, _TIME) for name in ("created_at", "changed_at", "due_at", "begun_at")),
)


def upgrade() -> None:
    database, posts = op.get_bind(), dict[tuple[int, str], dict[str, Any]]()
    ended = _JOBS.c.state.in_(_ENDED) & _JOBS.c.announced_at.is_(None)
    stands = _JOBS.c.result_message_id.is_not(None) & (_JOBS.c.posting > 0) & _JOBS.c.announced_at.is_(None)
    stands |= _JOBS.c.result_message_id.is_not(None) & _JOBS.c.state.in_(_LASTING)
    found = sa.select(_JOBS).where(ended | stands).order_by(_JOBS.c.changed_at, _JOBS.c.number)
    for job in database.execute(found).mappings().all():
        if job["result_message_id"] is not None:
            number = job["posting"] - (job["announced_at"] is None)
            there = f"c{job['result_channel_id'] or job['channel_id']}"
            post = _post(job, f"{job['id']}-{number}", there)
            post |= {"message_id": job["result_message_id"], "shown_version": 1}
            posts[job["guild_id"], post["key"]] = post
        if job["state"] not in _ENDED or job["announced_at"] is not None:
            continue
        key = f"{job['id']}-{job['posting']}"
        if job["set_id"] is not None and not job["posting"] and job["state"] not in _LASTING:
            key = f"{job['set_id']}-{_number(database, job)}"
        # What was to be posted may have been, without our knowing.
        post = _post(job, key, _place(job)) | {"due_at": datetime.now(UTC), "begun_at": job["changed_at"]}
        posts.setdefault((job["guild_id"], key), post)
    if posts:
        database.execute(sa.insert(_POSTS), list(posts.values()))
    op.drop_index("ix_jobs_unannounced", "jobs")


def _number(database: sa.Connection, job: Any) -> int:
    """Return the number of the set's message that is about the job, or of the next one."""
    if job["set_message"] is not None:
        return int(job["set_message"])
    newest = sa.select(sa.func.max(_JOBS.c.set_message)).where(_JOBS.c.set_id == job["set_id"])
    last = database.execute(newest).scalar()
    return 0 if last is None else last + 1


def _place(job: Any) -> str:
    own = f"c{job['channel_id']}"
    if job["private"]:
        return f"u{job['user_id']}"  # the answers of an earlier life can't be edited
    if job["state"] != "succeeded":
        return own
    if job["in_thread"]:
        beside = job["source_channel_id"] in {None, job["channel_id"]}
        photo = job["origin_message_id"] or (job["source_message_id"] if beside else None)
        above = photo or job["card_message_id"]
        return own if above is None else f"t{above}"
    return f"c{job['post_channel_id'] or job['channel_id']}"


def _post(job: Any, key: str, place: str) -> dict[str, Any]:
    created = job["created_at"]
    created = created if created.tzinfo is not None else created.replace(tzinfo=UTC)
    return {
        "guild_id": job["guild_id"],
        "kind": "result",
        "key": key,
        "job_id": job["id"],
        "place": place,
        "details": {"since": int(created.timestamp())},
        "refused": [],
        "created_at": job["changed_at"],
        "changed_at": job["changed_at"],
        "due_at": None,
        "begun_at": None,
        "message_id": None,
        "wanted": True,
        "version": 1,
        "shown_version": 0,
        "number": 0,
        "tries": 0,
    }
