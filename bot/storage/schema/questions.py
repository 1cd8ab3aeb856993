"""The tables of questions: confirmations before a job."""

from sqlalchemy import JSON, BigInteger, Boolean, Column, Index, Integer, String, Table, Text

from bot.base import Choice, UtcDateTime, enum_constraint, metadata
from bot.jobs.confirm import WhyAsk

# Few at any time: a row goes when its question was answered or has expired.
confirmations = Table(
    "confirmations",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("guild_id", BigInteger, nullable=False),
    Column("channel_id", BigInteger, nullable=False),
    Column("user_id", BigInteger, nullable=False),
    Column("request", JSON, nullable=False),
    Column("once", Text),
    Column("origin_message_id", BigInteger),
    Column("price", Integer, nullable=False),
    Column("learned", Boolean, nullable=False),
    Column("why", Choice(WhyAsk), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("message_id", BigInteger),
    Column("used_at", UtcDateTime),
    enum_constraint("why", WhyAsk),
    Index(None, "guild_id", "user_id"),
)

# Members who have started a job by a tap.
tappers = Table(
    "tappers",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("user_id", BigInteger, primary_key=True, autoincrement=False),
    Column("at", UtcDateTime, nullable=False),
)
