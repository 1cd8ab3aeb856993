"""The tables of questions: confirmations before a job, requests for credits, offers of tools."""

from sqlalchemy import JSON, BigInteger, Boolean, Column, Index, Integer, String, Table, Text

from bot.base import Choice, UtcDateTime, enum_constraint, metadata, partial_index
from bot.domain.confirmations import WhyAsk
from bot.domain.credit_requests import RequestState

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

# A row stays after its answer, so that a later press of a button is answered with it.
credit_requests = Table(
    "credit_requests",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("guild_id", BigInteger, nullable=False),
    Column("user_id", BigInteger, nullable=False),
    Column("channel_id", BigInteger, nullable=False),
    Column("tool", Text, nullable=False),
    Column("price", Integer, nullable=False),
    Column("amount", Integer, nullable=False),
    Column("of_member", Boolean, nullable=False),
    Column("of_server", Boolean, nullable=False),
    Column("state", Choice(RequestState), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("answered_by", BigInteger),
    Column("answered_at", UtcDateTime),
    enum_constraint("state", RequestState),
    partial_index("uq_credit_requests_open", "guild_id", "user_id", unique=True, rows="state = 'open'"),
)

# Messages that offer tools after a mention; a row goes with its message, or when that can't be removed.
offers = Table(
    "offers",
    metadata,
    Column("message_id", BigInteger, primary_key=True, autoincrement=False),
    Column("guild_id", BigInteger, nullable=False),
    Column("channel_id", BigInteger, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Index(None, "expires_at"),
)

# Members who have started a job by a tap.
tappers = Table(
    "tappers",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("user_id", BigInteger, primary_key=True, autoincrement=False),
    Column("at", UtcDateTime, nullable=False),
)
