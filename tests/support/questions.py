"""Questions before jobs, and members who need none, as tests store them."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.jobs.confirm import Confirmation, Tapper


def has_tapped(session: Session, guild_id: int, user_id: int) -> None:
    """Let the member be one who has started a job by a tap in the server."""
    session.merge(Tapper(guild_id, user_id))


def all_questions(session: Session) -> list[Confirmation]:
    """Return all questions, oldest first."""
    return list(session.scalars(select(Confirmation).order_by(Confirmation.created_at, Confirmation.id)))
