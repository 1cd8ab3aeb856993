"""Everything that outlives the process, in SQLite or PostgreSQL; hands out values of `bot.model` alone."""

from bot.storage.copies import WAS_RESTORED, copy_database, fault_of, put_back
from bot.storage.database import Storage, Transaction
from bot.storage.engines import is_trouble
from bot.storage.files import sqlite_file
from bot.storage.jobs import JobChanges
from bot.storage.lane_limits import LaneLimits
from bot.storage.lanes import Sent
from bot.storage.ledger import ReservationError
from bot.storage.locks import InstanceLock, instance_lock
from bot.storage.migrations import migrate, schema_of
from bot.storage.rulings import NOBODY_RULED, RULED_CHARGED, RULED_RELEASED, rule
from bot.storage.secrets import CannotDecrypt, LaneNames, Vault, reseal_keys

__all__ = [
    "NOBODY_RULED",
    "RULED_CHARGED",
    "RULED_RELEASED",
    "WAS_RESTORED",
    "CannotDecrypt",
    "InstanceLock",
    "JobChanges",
    "LaneLimits",
    "LaneNames",
    "ReservationError",
    "Sent",
    "Storage",
    "Transaction",
    "Vault",
    "copy_database",
    "fault_of",
    "instance_lock",
    "is_trouble",
    "migrate",
    "put_back",
    "reseal_keys",
    "rule",
    "schema_of",
    "sqlite_file",
]
