"""The tables of processes that share a PostgreSQL. On SQLite, where there is one, they stay empty."""

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, LargeBinary, Table, Text

from bot.base import UtcDateTime, metadata

# A process's lease is its row: its shards are its own until `until`, by the database's clock. A number
# (`epoch`) is given once, so that rows with it belong to that one term of that one process.
processes = Table(
    "processes",
    metadata,
    Column("epoch", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("name", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("until", UtcDateTime, nullable=False),
)

# A row for each of Discord's shards. Without an epoch, a shard is free.
shards = Table(
    "shards",
    metadata,
    Column("shard", Integer, primary_key=True, autoincrement=False),
    Column("epoch", BigInteger, ForeignKey("processes.epoch", ondelete="SET NULL")),
    Column("since", UtcDateTime),
)

# When the next connection of a bucket may identify itself at Discord's gateway.
identify_turns = Table(
    "identify_turns",
    metadata,
    Column("bucket", Integer, primary_key=True, autoincrement=False),
    Column("next_at", UtcDateTime, nullable=False),
)

# Interactions of which Discord was told that their answer will come, by their id; few at any time. What is
# sealed can act in the bot's name for a quarter of an hour.
deferrals = Table(
    "deferrals",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("guild_id", BigInteger, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)
