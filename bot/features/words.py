"""Rules about words, applied to what is saved for later requests."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.base import metadata
from bot.domain.words import WordEffect, WordRule, matcher_of
from bot.errors import Refused
from bot.languages import lazy
from bot.servers import access

NOT_TO_BE_SAVED = lazy(
    "This server's word filter doesn't allow that. Change the wording and try again, or ask "
    "a moderator. Nothing was saved."
)


def ensure_words_allowed(session: Session, guild_id: int, texts: Sequence[str]) -> None:
    """Raise `Refused` if a rule refuses requests with these texts, which are to be saved for later requests.

    What rules send to approval can be saved: each request is approved.
    """
    word_rules = metadata.tables["word_rules"]
    here = select(word_rules).where(word_rules.c.guild_id == guild_id).order_by(word_rules.c.key)
    rules = tuple(WordRule(row.words, row.key, row.effect) for row in session.execute(here))
    rule = matcher_of(rules).met(texts) if rules else None
    if rule is None:
        return
    if rule.effect is WordEffect.REFUSE or access.approvals(session, guild_id).channel_id is None:
        raise Refused(NOT_TO_BE_SAVED)
