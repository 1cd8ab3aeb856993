"""The tables of servers: their settings, keys, holds, posting rules and notices, and their members'
languages."""

from typing import cast

from sqlalchemy import BigInteger, Boolean, Column, Integer, String, Table, Text

from bot.base import ReasonText, UtcDateTime, metadata
from bot.servers.keys import StudiiKey
from bot.servers.notices import Notice
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

# How results are shown. A server without a row, or with empty columns, has the defaults of `PostingRules`.
posting_rules = Table(
    "posting_rules",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("keeps_cards", Boolean),
    Column("results_channel_id", BigInteger),
    Column("in_threads", Boolean),
    Column("splits", Boolean),
    Column("disclosure", Text),
    Column("staging_label", Text),
    Column("staging_corner", String(16)),
    Column("best_channel_id", BigInteger),
    Column("best_stars", Integer),
)

notices = cast("Table", Notice.__table__)
studii_keys = cast("Table", StudiiKey.__table__)
guilds = cast("Table", GuildSettings.__table__)
log_channels = cast("Table", LogSettings.__table__)
