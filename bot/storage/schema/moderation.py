"""The tables of what moderators decide, and of refusals."""

from sqlalchemy import BigInteger, Column, String, Table, Text

from bot.base import Choice, UtcDateTime, metadata
from bot.domain.words import WordEffect

# `key` is the rule as it is compared, `words` as an admin wrote it.
word_rules = Table(
    "word_rules",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("key", Text, primary_key=True),
    Column("words", Text, nullable=False),
    Column("effect", Choice(WordEffect), nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

# When a member was told by direct message why nothing was started, for each reason (a digest). A new row
# deletes old ones.
refusals_told = Table(
    "refusals_told",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("user_id", BigInteger, primary_key=True, autoincrement=False),
    Column("reason", String(16), primary_key=True),
    Column("told_at", UtcDateTime, nullable=False),
)
