"""The tables of questions: to a person before a job starts, and to admins for more credits."""

from sqlalchemy import JSON, BigInteger, Boolean, Column, Index, Integer, String, Table, Text

from bot.domain.confirmations import WhyAsk
from bot.storage.schema.columns import Choice, UtcDateTime, metadata, one_of

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
    one_of("why", WhyAsk),
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
