"""The tables of what happens under photos."""

from sqlalchemy import JSON, BigInteger, Boolean, Column, Integer, Table, Text

from bot.domain.photo_rules import PhotoChannelKind
from bot.storage.columns import Choice, UtcDateTime
from bot.storage.schema import metadata

# Where tapping an emoji runs a tool; channel 0 stands for the whole server.
reaction_places = Table(
    "reaction_places",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("channel_id", BigInteger, primary_key=True, autoincrement=False),
)

# Without a tool, the emoji stands for nothing in this server.
reaction_emoji = Table(
    "reaction_emoji",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("emoji", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("emoji_id", BigInteger, nullable=False),
    Column("animated", Boolean, nullable=False),
    Column("tool", Text),
    Column("inputs", JSON, nullable=False),
)

# Who was told last that credits are short, and when; a row lives until somebody is told after its time.
credits_told = Table(
    "credits_told",
    metadata,
    Column("user_id", BigInteger, primary_key=True, autoincrement=False),
    Column("told_at", UtcDateTime, nullable=False),
)

photo_channels = Table(
    "photo_channels",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("channel_id", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", Choice(PhotoChannelKind), nullable=False),
    Column("tool", Text),
    Column("inputs", JSON, nullable=False),
    Column("most", Integer, nullable=False),
)
