"""The tables of what moderators decide: rules about words."""

from sqlalchemy import BigInteger, Column, Table, Text

from bot.domain.words import WordEffect
from bot.storage.schema.columns import Choice, UtcDateTime, metadata

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
