"""The table of the credits that jobs reserved and paid, and that admins granted."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, String, Table

from bot.base import Choice, UtcDateTime, enum_constraint, metadata, numbered_id, partial_index
from bot.domain import EntryKind

GRANTS = "job_id IS NULL"

# Lines are added and never changed. A job is reserved, settled and released at most once each.
ledger = Table(
    "ledger",
    metadata,
    numbered_id(),
    Column("guild_id", BigInteger, nullable=False),
    Column("user_id", BigInteger),
    Column("job_id", String(16), ForeignKey("jobs.id")),
    Column("kind", Choice(EntryKind), nullable=False),
    Column("amount", Integer, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("period", String(48)),
    enum_constraint("kind", EntryKind),
    Index(None, "guild_id", "at"),
    Index(None, "job_id"),
    partial_index(
        "uq_ledger_once", "job_id", "kind", unique=True, rows="kind IN ('reserve', 'settle', 'release')"
    ),
    partial_index("ix_ledger_grants", "guild_id", "period", "user_id", "amount", rows=GRANTS),
)
