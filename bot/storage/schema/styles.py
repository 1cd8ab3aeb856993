"""The tables of styles, and of the inputs that members prefer."""

from sqlalchemy import JSON, BigInteger, Column, String, Table, Text, UniqueConstraint

from bot.base import UtcDateTime, metadata

# `user_id` is 0 for a server's style. `key` is the name as it is compared. The result of the job
# `job_id` shows what the style makes.
styles = Table(
    "styles",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("guild_id", BigInteger, nullable=False),
    Column("user_id", BigInteger, nullable=False),
    Column("key", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("tool", Text, nullable=False),
    Column("inputs", JSON, nullable=False),
    Column("roles", JSON, nullable=False),
    Column("made_by", BigInteger),
    Column("job_id", String(16)),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("guild_id", "user_id", "key"),
)

# The inputs of a tool that a member prefers.
member_defaults = Table(
    "member_defaults",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("user_id", BigInteger, primary_key=True, autoincrement=False),
    Column("tool", Text, primary_key=True),
    Column("inputs", JSON, nullable=False),
)
