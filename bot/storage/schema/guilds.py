"""The tables of servers: their settings, keys, holds, posting rules and notices, and their members'
languages."""

from typing import cast

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
)

from bot.base import Choice, ReasonText, UtcDateTime, enum_constraint, metadata, numbered_id
from bot.domain import Period, Plan
from bot.languages import Language
from bot.servers.notices import Notice

studii_keys = Table(
    "studii_keys",
    metadata,
    numbered_id(),
    Column("guild_id", BigInteger, nullable=False),
    Column("lane", Text, nullable=False),
    Column("hint", String(8), nullable=False),
    Column("plan", Choice(Plan), nullable=False),
    Column("ciphertext", LargeBinary, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("retired_at", UtcDateTime),
    Column("plan_at", UtcDateTime),
    enum_constraint("plan", Plan),
    Index(None, "guild_id"),
    Index(None, "lane"),
)

# A server without a row, or with empty columns, has the defaults of `GuildSettings`.
guilds = Table(
    "guilds",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("key_id", BigInteger, ForeignKey("studii_keys.id")),
    Column("key_changed_at", UtcDateTime),
    Column("budget_limit", Integer),
    Column("budget_period", Choice(Period)),
    Column("budget_since", UtcDateTime),
    Column("timezone", Text),
    Column("paused_at", UtcDateTime),
    Column("keeps_metadata", Boolean),
    Column("confirm_above", Integer),
    Column("left_at", UtcDateTime),
    Column("missing_since", UtcDateTime),
    Column("greeted_at", UtcDateTime),
    Column("panel_posted_at", UtcDateTime),
    Column("language", Choice(Language)),
    Column("admin_language", Choice(Language)),
    enum_constraint("budget_period", Period),
)

# The languages in which members last used the bot, for what they are sent by DM.
member_languages = Table(
    "member_languages",
    metadata,
    Column("user_id", BigInteger, primary_key=True, autoincrement=False),
    Column("language", Choice(Language), nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    Index(None, "seen_at"),
)

holds = Table(
    "holds",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("key_id", BigInteger, nullable=False),
    Column("reason", ReasonText, nullable=False),
    Column("until", UtcDateTime, nullable=False),
    Column("since", UtcDateTime),
)

log_channels = Table(
    "log_channels",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("channel_id", BigInteger),
    Column("results", Boolean, nullable=False),
    Column("requests_in_place", Boolean),
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
