"""The database, SQLite or PostgreSQL. Its repositories take and return values of `bot.domain`."""

from bot.storage.database.changes import Changes
from bot.storage.durations import Sample
from bot.storage.holds import Hold
from bot.storage.jobs import CardShown, JobChanges
from bot.storage.lanes import LaneLimits, Sent
from bot.storage.servers import ServerConfig
from bot.storage.storage import Storage
from bot.storage.transaction import Transaction
