"""The hourglass on a photo's message while jobs that no interaction started go on."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import posts
from bot.jobs.models import ACTIVE_STATES, Job

HOURGLASS = "hourglass"  # the kind of these posts; the key is the message
SIGN = "⏳"


def follow(session: Session, job: Job, at: datetime) -> None:
    """Let it stand while one of the jobs from the message goes on, after this one has changed."""
    if job.origin_message_id is None:
        return
    session.flush()
    going = select(Job.id).where(Job.origin_message_id == job.origin_message_id, Job.state.in_(ACTIVE_STATES))
    wanted = session.scalar(going.limit(1)) is not None
    key, place = str(job.origin_message_id), f"c{job.channel_id}"
    if wanted:
        posts.want(session, job.guild_id, HOURGLASS, key, at=at, place=place, again=True)
    else:
        posts.unwant(session, job.guild_id, HOURGLASS, [key], at)
