"""Refusals that members are sent: each reason once in a while."""

import hashlib
import re
from datetime import datetime, timedelta

from sqlalchemy import String, delete
from sqlalchemy.orm import Mapped, Session, mapped_column

from bot.base import Base
from bot.db import put

BETWEEN = timedelta(hours=1)  # the same reason is told a member again
_DIGEST = 16  # hex digits


class RefusalTold(Base):
    """A reason, as a digest, why nothing was started, and when a member was told it by direct message."""

    __tablename__ = "refusals_told"

    guild_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    user_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    reason: Mapped[str] = mapped_column(String(16), primary_key=True)
    told_at: Mapped[datetime]


def may_tell(session: Session, guild_id: int, user_id: int, reason: str, at: datetime) -> bool:
    """Return whether the member may be told this sentence now, and record it (once an hour).

    Sentences that differ in figures alone are the same reason. A reason is recognized by its English
    sentence, as refusals have no codes: after an update that rewords it, it may be said once more.
    """
    # Times in the future mean that the clock was set back. They do not count.
    session.execute(
        delete(RefusalTold).where((RefusalTold.told_at <= at - BETWEEN) | (RefusalTold.told_at > at))
    )
    digest = hashlib.sha256(re.sub(r"\d+", "", reason).encode()).hexdigest()[:_DIGEST]
    key = {"guild_id": guild_id, "user_id": user_id, "reason": digest}
    return put(session, RefusalTold, key, replace=False, told_at=at)
