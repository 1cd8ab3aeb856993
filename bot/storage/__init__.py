"""The database, SQLite or PostgreSQL. Its repositories take and return values of `bot.domain`."""

from bot.storage.database.changes import Changes
from bot.storage.storage import Storage
from bot.storage.transaction import Transaction
