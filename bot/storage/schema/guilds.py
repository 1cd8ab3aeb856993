"""The tables of servers: their settings, keys, holds, posting rules, and their members'
languages."""

from typing import cast

from sqlalchemy import BigInteger, Column, Table

from bot.base import ReasonText, UtcDateTime, metadata
from bot.features.posting import PostingRules
from bot.posts import Post
from bot.servers.keys import StudiiKey
from bot.servers.settings import GuildSettings, LogSettings

holds = Table(
    "holds",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("key_id", BigInteger, nullable=False),
    Column("reason", ReasonText, nullable=False),
    Column("until", UtcDateTime, nullable=False),
    Column("since", UtcDateTime),
)

posting_rules = cast("Table", PostingRules.__table__)
studii_keys = cast("Table", StudiiKey.__table__)
posts = cast("Table", Post.__table__)
guilds = cast("Table", GuildSettings.__table__)
log_channels = cast("Table", LogSettings.__table__)
