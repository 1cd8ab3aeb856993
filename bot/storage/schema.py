"""The tables. Migrations make them; a test holds the two together.

Times are UTC, credits whole numbers, Discord's ids 64 bit.
"""

from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from bot.domain import EntryKind, FailureCode, FileRole, JobState, NoticeKind, Period, Plan
from bot.storage.columns import Choice, UtcDateTime


def _one_of(column: str, enum: type[StrEnum]) -> CheckConstraint:
    values = ", ".join(f"'{member.value}'" for member in enum)
    return CheckConstraint(f"{column} IN ({values})", name=column)


def _number() -> Column[Any]:
    # SQLite counts by itself in a column of the type INTEGER alone.
    kind = BigInteger().with_variant(Integer, "sqlite")
    return Column("id", kind, primary_key=True, autoincrement=True)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

studii_keys = Table(
    "studii_keys",
    metadata,
    _number(),
    Column("guild_id", BigInteger, nullable=False),
    Column("lane", Text, nullable=False),
    Column("hint", String(8), nullable=False),
    Column("plan", Choice(Plan), nullable=False),
    Column("ciphertext", LargeBinary, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("retired_at", UtcDateTime),
    Column("plan_at", UtcDateTime),
    _one_of("plan", Plan),
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
    Column("left_at", UtcDateTime),
    Column("missing_since", UtcDateTime),
    Column("greeted_at", UtcDateTime),
    _one_of("budget_period", Period),
)

# A job that no interaction started waits for the bot to post its card; version 0 is shown by none.
NO_CARD_YET = "origin_message_id IS NOT NULL AND card_message_id IS NULL AND card_version = 0"
# A command's answer was to show its card, and nobody has stored whether it did.
CARD_NEVER_SEEN = "origin_message_id IS NULL AND card_message_id IS NULL AND card_version = 0"
GOING_OR_DONE = "once IS NOT NULL AND state NOT IN ('failed', 'cancelled')"

# `number` is the order of acceptance, which the wall clock may not tell. `resolved_at` is the ledger's own:
# when the reservation was settled or released, which happens once.
jobs = Table(
    "jobs",
    metadata,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("id", String(16), nullable=False, unique=True),
    Column("guild_id", BigInteger, nullable=False),
    Column("channel_id", BigInteger, nullable=False),
    Column("user_id", BigInteger, nullable=False),
    Column("tool", Text, nullable=False),
    Column("inputs", JSON, nullable=False),
    Column("variant", Text, nullable=False),
    Column("source_url", Text),
    Column("source_name", Text),
    Column("source_type", Text),
    Column("source_size", BigInteger),
    Column("private", Boolean, nullable=False),
    Column("state", Choice(JobState), nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    Column("estimate", Integer, nullable=False),
    Column("reserved", Integer, nullable=False),
    Column("settled", Integer, nullable=False),
    Column("resolved_at", UtcDateTime),
    Column("charged", Integer),
    Column("not_before", UtcDateTime),
    Column("held", Text),
    Column("attempts", Integer, nullable=False),
    Column("source_file", Text),
    Column("key_id", BigInteger, ForeignKey("studii_keys.id")),
    Column("object_key", Text),
    Column("studii_id", Text),
    Column("status_url", Text),
    Column("studii_status", Text),
    Column("submitted_at", UtcDateTime),
    Column("output_url", Text),
    Column("output_kind", Text),
    Column("output_file", Text),
    Column("finished_at", UtcDateTime),
    Column("failure", Choice(FailureCode)),
    Column("failure_text", Text),
    Column("card_message_id", BigInteger),
    Column("card_version", Integer, nullable=False),
    Column("posting", Integer, nullable=False),
    Column("result_message_id", BigInteger),
    Column("announced_at", UtcDateTime),
    Column("photo_author", BigInteger),
    Column("price_learned", Boolean),
    Column("allowance_role", BigInteger),
    Column("age_restricted", Boolean),
    Column("forgotten_at", UtcDateTime),
    Column("scrubbed_at", UtcDateTime),
    Column("origin_message_id", BigInteger),
    Column("once", Text),
    Column("tapped", Text),
    Column("source_message_id", BigInteger),
    Column("source_channel_id", BigInteger),
    _one_of("state", JobState),
    Index(None, "state", "number"),
    Index(None, "guild_id", "user_id", "number"),
    Index(None, "key_id", "state"),
    # Holds all that a sum needs, so that a month's usage is read from the index alone.
    Index("ix_jobs_usage", "guild_id", "created_at", "user_id", "settled", "reserved"),
    Index(
        "ix_jobs_unannounced",
        "state",
        "changed_at",
        sqlite_where=text("announced_at IS NULL"),
        postgresql_where=text("announced_at IS NULL"),
    ),
    Index(
        "ix_jobs_stale_cards",
        "changed_at",
        sqlite_where=text("card_message_id IS NOT NULL AND card_version < version"),
        postgresql_where=text("card_message_id IS NOT NULL AND card_version < version"),
    ),
    Index(
        "ix_jobs_wanted_cards",
        "state",
        "number",
        sqlite_where=text(NO_CARD_YET),
        postgresql_where=text(NO_CARD_YET),
    ),
    Index(
        "ix_jobs_lost_cards",
        "created_at",
        sqlite_where=text(CARD_NEVER_SEEN),
        postgresql_where=text(CARD_NEVER_SEEN),
    ),
    # What is going or done is not done twice; what failed or was cancelled may be tried again.
    Index(
        "uq_jobs_once",
        "once",
        unique=True,
        sqlite_where=text(GOING_OR_DONE),
        postgresql_where=text(GOING_OR_DONE),
    ),
)

# Lines are added and never changed. A job is reserved, settled and released at most once each.
ledger = Table(
    "ledger",
    metadata,
    _number(),
    Column("guild_id", BigInteger, nullable=False),
    Column("user_id", BigInteger),
    Column("job_id", String(16), ForeignKey("jobs.id")),
    Column("kind", Choice(EntryKind), nullable=False),
    Column("amount", Integer, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("period", String(48)),
    _one_of("kind", EntryKind),
    Index(None, "guild_id", "at"),
    Index(None, "job_id"),
    Index(
        "uq_ledger_once",
        "job_id",
        "kind",
        unique=True,
        sqlite_where=text("kind IN ('reserve', 'settle', 'release')"),
        postgresql_where=text("kind IN ('reserve', 'settle', 'release')"),
    ),
)

lane_requests = Table(
    "lane_requests",
    metadata,
    _number(),
    Column("lane", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("settled", UtcDateTime),  # at `at`, the lane's requests from before then had been answered
    Index(None, "lane", "at"),
)

# What 429s have told: until when nothing is sent, until when slowly, and whether the plan is another.
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

prices = Table(
    "prices",
    metadata,
    Column("lane", Text, primary_key=True),  # empty: what any key was charged last
    Column("tool", Text, primary_key=True),
    Column("variant", Text, primary_key=True),
    Column("charge", Integer, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

durations = Table(
    "durations",
    metadata,
    _number(),
    Column("tool", Text, nullable=False),
    Column("output_kind", Text, nullable=False),
    Column("low", Float(53), nullable=False),
    Column("high", Float(53), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index(None, "tool", "output_kind", "id"),
)

meta = Table(
    "meta",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", LargeBinary, nullable=False),
)

log_channels = Table(
    "log_channels",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("channel_id", BigInteger),
    Column("results", Boolean, nullable=False),
)

# What admins are told; a row stays after it was posted, so that it is not told again.
notices = Table(
    "notices",
    metadata,
    _number(),
    Column("guild_id", BigInteger, nullable=False),
    Column("kind", Choice(NoticeKind), nullable=False),
    Column("key", String(64), nullable=False),
    Column("details", JSON, nullable=False),
    Column("job_id", String(16), ForeignKey("jobs.id")),
    Column("created_at", UtcDateTime, nullable=False),
    Column("posted_at", UtcDateTime),
    Column("message_id", BigInteger),
    UniqueConstraint("guild_id", "kind", "key"),
    Index(
        "ix_notices_open",
        "id",
        sqlite_where=text("posted_at IS NULL"),
        postgresql_where=text("posted_at IS NULL"),
    ),
)

# Files that are being decoded, and those whose decoder died (see `bot.domain.DecodeRecord`); few at any time.
decodes = Table(
    "decodes",
    metadata,
    Column("job_id", String(16), ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("role", Choice(FileRole), primary_key=True),
    Column("counted", Integer, nullable=False),
    Column("suspect", Boolean, nullable=False),
    Column("underway", Boolean, nullable=False),
    Column("alone", Boolean, nullable=False),
    _one_of("role", FileRole),
)

holds = Table(
    "holds",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("key_id", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("until", UtcDateTime, nullable=False),
)
