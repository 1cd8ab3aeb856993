"""Everything that outlives the process, in SQLite or PostgreSQL; hands out values of `bot.model` alone."""

from bot.storage.database import Storage, Transaction
from bot.storage.jobs import JobChanges
from bot.storage.ledger import ReservationError
from bot.storage.locks import instance_lock
from bot.storage.migrations import migrate
from bot.storage.secrets import CannotDecrypt, LaneNames, Vault, reseal_keys

__all__ = [
    "CannotDecrypt",
    "JobChanges",
    "LaneNames",
    "ReservationError",
    "Storage",
    "Transaction",
    "Vault",
    "instance_lock",
    "migrate",
    "reseal_keys",
]
