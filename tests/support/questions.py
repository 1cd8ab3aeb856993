"""Questions before jobs, and members who need none, as tests store them."""

from datetime import datetime

from sqlalchemy.orm import Session

from bot.credits.prices import Estimate
from bot.jobs import confirm
from bot.jobs.confirm import Confirmation, ConfirmationNeeded, Tapper, WhyAsk
from bot.jobs.models import JobRequest


def has_tapped(session: Session, guild_id: int, user_id: int, at: datetime) -> None:
    """Let the member be one who has started a job by a tap in the server."""
    session.merge(Tapper(guild_id, user_id, at))


def ask(
    session: Session, question_id: str, request: JobRequest, at: datetime, expires_at: datetime
) -> Confirmation:
    """Store the question of a first tap."""
    needed = ConfirmationNeeded(request, Estimate(8, learned=False), WhyAsk.FIRST_TAP, ())
    needed.id = question_id
    question = confirm.store(session, needed, at)
    question.expires_at = expires_at
    return question
