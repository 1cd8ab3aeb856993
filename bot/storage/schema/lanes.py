"""The tables of what the bot remembers about Studii (by lane) and about itself (`meta`)."""

from typing import cast

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, Table, Text

from bot.base import UtcDateTime, metadata, numbered_id
from bot.meta import Meta

lane_requests = Table(
    "lane_requests",
    metadata,
    numbered_id(),
    Column("lane", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("epoch", BigInteger),  # the process that sends it, where there are several
    Column("settled", UtcDateTime),  # at `at`, the lane's requests from before then had been answered
    Index(None, "lane", "at"),
)

# The state after 429s: until when nothing is sent, until when slowly, and whether the plan is doubted.
lane_limits = Table(
    "lane_limits",
    metadata,
    Column("lane", Text, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("blocked_until", UtcDateTime),
    Column("paced_until", UtcDateTime),
    Column("blocks", Integer, nullable=False),
    Column("plan", Integer, nullable=False),
    Column("plan_at", UtcDateTime, nullable=False),
    Column("odd_at", UtcDateTime),
    Column("doubted", Boolean, nullable=False),
    Column("lowered_to", Integer),
    Column("lowered_until", UtcDateTime),
    Column("next_lowered", Float(53), nullable=False),
)

durations = Table(
    "durations",
    metadata,
    numbered_id(),
    Column("tool", Text, nullable=False),
    Column("output_kind", Text, nullable=False),
    Column("low", Float(53), nullable=False),
    Column("high", Float(53), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index(None, "tool", "output_kind", "id"),
)

meta = cast("Table", Meta.__table__)
