"""The tables of what moderators decide, and of refusals."""

from sqlalchemy import BigInteger, Boolean, Column, Index, String, Table, Text

from bot.base import Choice, UtcDateTime, metadata, numbered_id
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

# Members who can't start jobs: by an admin, or (`automatic`) after many refusals by word rules.
blocks = Table(
    "blocks",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("user_id", BigInteger, primary_key=True, autoincrement=False),
    Column("automatic", Boolean, nullable=False),
    Column("reason", Text),
    Column("until", UtcDateTime),
)

# Requests that word rules refused within the last day. A new row deletes old ones.
word_refusals = Table(
    "word_refusals",
    metadata,
    numbered_id(),
    Column("guild_id", BigInteger, nullable=False),
    Column("user_id", BigInteger, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index("ix_word_refusals_guild_id_user_id_at", "guild_id", "user_id", "at"),
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
