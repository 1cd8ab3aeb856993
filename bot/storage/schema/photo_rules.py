"""The tables of reactions and of photo channels."""

from sqlalchemy import JSON, BigInteger, Boolean, Column, Integer, String, Table, Text

from bot.base import Choice, metadata
from bot.domain.photo_rules import PhotoChannelKind

# The channels in which a reaction starts a tool. Channel 0 is the whole server.
reaction_places = Table(
    "reaction_places",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("channel_id", BigInteger, primary_key=True, autoincrement=False),
)

# Without a tool, the emoji does nothing in this server.
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
    Column("style_id", String(16)),
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
