"""Rules for results in a server's channels: where they are posted, and what is shown beside them."""

from typing import Any

from sqlalchemy import Integer, String
from sqlalchemy.orm import Mapped, Session, mapped_column

from bot import posts
from bot.base import Base
from bot.db import of_each, put
from bot.languages import N_, gettext
from bot.servers.notices import NoticeKind

MADE_WITH_AI = N_("Made with AI")
MAX_DISCLOSURE_CHARACTERS = 80  # of a disclosure
CORNERS = ("bottom-left", "bottom-right", "top-left", "top-right")


class PostingRules(Base):
    """The settings that a server's admins make with `/studii results` and `/studii setup`.

    `results_channel_id`: results are posted there, not where they were asked for. `in_threads`: results are
    posted in a thread under the photo's message, if there is one. `splits`: a picture that is half before and
    half after is shown beside a result. `disclosure` is said under each result; empty: nothing is.
    `staging_label` is written into that corner of a copy of a staged picture, which is shown beside it;
    empty: there is no copy.
    `best_channel_id`: results that get `best_stars` stars, or a moderator's, are shown there as well.
    """

    __tablename__ = "posting_rules"

    guild_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, default=0)
    results_channel_id: Mapped[int | None] = mapped_column(default=None)
    # A column that came later is empty in rows of before (see `of_each`).
    in_threads: Mapped[bool] = mapped_column(nullable=True, default=False)
    splits: Mapped[bool] = mapped_column(nullable=True, default=False)
    disclosure: Mapped[str] = mapped_column(nullable=True, default=MADE_WITH_AI)
    staging_label: Mapped[str] = mapped_column(nullable=True, default="")
    staging_corner: Mapped[str] = mapped_column(String(16), nullable=True, default=CORNERS[0])
    best_channel_id: Mapped[int | None] = mapped_column(default=None)
    best_stars: Mapped[int] = mapped_column(Integer, nullable=True, default=3)

    @property
    def disclosure_words(self) -> str:
        """Return the disclosure as shown: an admin's own words, or the default in the reader's language."""
        return gettext(MADE_WITH_AI) if self.disclosure == MADE_WITH_AI else self.disclosure


def of(session: Session, guild_id: int) -> PostingRules:
    """Return the server's rules, the defaults for those that it has not set."""
    return of_each(session, PostingRules, [guild_id])[guild_id]


def change(session: Session, guild_id: int, **changes: Any) -> PostingRules:
    """Change some of the server's rules, or none, and return them all."""
    if changes:
        put(session, PostingRules, {"guild_id": guild_id}, **changes)
    if "best_channel_id" in changes:
        # Admins are told again if that one is lost too.
        posts.forget(session, guild_id, NoticeKind.BEST_LOST)
    return of(session, guild_id)
