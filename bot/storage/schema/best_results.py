"""The tables of starred results."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, String, Table

from bot.base import UtcDateTime, metadata, partial_index

# There is something to do: to show it, or to take it back.
OPEN_BEST = "posted_message_id IS NULL OR NOT wanted"

# Results that have the stars, by the message that shows them; a row goes when it is taken back.
best_results = Table(
    "best_results",
    metadata,
    Column("message_id", BigInteger, primary_key=True, autoincrement=False),
    Column("guild_id", BigInteger, nullable=False),
    Column("channel_id", BigInteger, nullable=False),
    Column("job_id", String(16), nullable=False),
    Column("user_id", BigInteger, nullable=False),
    Column("wanted", Boolean, nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("number", Integer, nullable=False),
    Column("begun_at", UtcDateTime),
    Column("posted_channel_id", BigInteger),
    Column("posted_message_id", BigInteger),
    Index(None, "user_id"),
    partial_index("ix_best_results_open", "since", rows=OPEN_BEST),
)

# Whether members let their results be shown; empty until they have answered.
best_consents = Table(
    "best_consents",
    metadata,
    Column("user_id", BigInteger, primary_key=True, autoincrement=False),
    Column("agreed", Boolean),
    Column("at", UtcDateTime, nullable=False),
)
